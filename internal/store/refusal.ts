/** Why the database gave no answer although the query is in order. */
export type Refusal = "away" | "too_slow";

const TOO_SLOW = "57014";
// Connection exceptions, too many connections, shutting down, crashed, starting up.
const AWAY = /^(08...|53300|57P0[1-4])$/;
const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
// pg's own errors carry no code.
const LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection|Query read timeout)/;

/** The refusal that an error of the database means; undefined for every other error. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === TOO_SLOW) return "too_slow";
  if (AWAY.test(code) || NETWORK.has(code) || LOST.test(error.message)) return "away";
  // Node tries a host's addresses one after the other and reports their errors together.
  if (error instanceof AggregateError)
    return error.errors.map(refusalOf).find((refusal) => refusal !== undefined);
  return undefined;
}
