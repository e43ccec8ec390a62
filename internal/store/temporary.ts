import { hasSqlState, sqlState } from "./pool.ts";
import { FencedError } from "./write-batches.ts";

/**
 * Classes and codes of SQLSTATE that say nothing about what was to be written, only about the moment: the same
 * will succeed later, when the server is back, has room, or the other transaction is over.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const TEMPORARY = [
  "08", // connection exceptions
  "25P03", // idle in transaction for too long
  "25P04", // transaction timeout
  "25006", // read only: a standby, or full by decree of the provider
  "28", // a password that is being changed
  "3D000", // the database is being restored
  "40", // rolled back for another's sake: serialization failure, deadlock
  "53", // disk full, out of memory, too many connections
  "55006", // object in use
  "55P03", // lock not available in time
  "57", // cancelled by a timeout or an operator, shutting down, starting up
  "58", // I/O errors
];

/**
 * Whether a failed write may succeed when it is simply tried again later. Whatever is not an answer of
 * PostgreSQL (a broken connection, a timeout of the client) may.
 */
export function isTemporary(error: unknown): boolean {
  if (error instanceof FencedError) return true;
  const state = sqlState(error);
  if (state !== undefined) return TEMPORARY.some((prefix) => state.startsWith(prefix));
  return isConnectionError(error);
}

/** PostgreSQL's internal error: two statements met in the catalogue, or in a batch of the columnstore. */
const INTERNAL = "XX000";

/** Whether only the moment was wrong for work that leaves nothing behind when it fails: also "tuple concurrently updated". */
export function isMomentary(error: unknown): boolean {
  return isTemporary(error) || (hasSqlState(error, INTERNAL) && /concurrent/.test(String(error)));
}

const CONNECTION_MESSAGES =
  /^(Connection terminated|timeout ex(ceeded|pired)|Query read timeout|Client (has encountered|was closed))/;

/** Codes of sockets and name resolution, and of streams that end with their socket; not those of wrong arguments. */
const CONNECTION_CODES = /^((?!ERR_)E[A-Z_]+|ERR_(STREAM|SOCKET)_\w+)$/;

/** An error of the socket, or of the client that lost it. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && CONNECTION_CODES.test(code)) || CONNECTION_MESSAGES.test(error.message);
}
