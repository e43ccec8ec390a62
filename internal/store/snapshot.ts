import pg from "pg";
import { type Client, type Pool, transaction } from "./pool.ts";

/** All statements of such a transaction see the database at the same moment. */
const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/**
 * For statements that group or sort by very many values or keys, as a large shop's pages, or its visitors of a year, are:
 * PostgreSQL's default, 4 MB, would have them written to files.
 */
const MEMORY = "SET LOCAL work_mem = '32MB'";

/**
 * TimescaleDB would aggregate chunk by chunk, and what comes of that once more: of very many keys, most of which are in
 * one chunk alone, that is twice the work.
 */
const AT_ONCE = "SET LOCAL timescaledb.enable_chunkwise_aggregation = off";

/** int8 and numeric. */
const WHOLE_NUMBERS = [20, 1700];

/** Reads counts and sums as bigint. Sums of micros are numeric: no number of orders is too large for them. */
export const BIGINT_TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    WHOLE_NUMBERS.includes(oid) ? BigInt : pg.types.getTypeParser(oid, format as "text"),
};

/**
 * What a statement may read: aggregate (totals_15m), raw (the rows), sessions (of quarter hours),
 * rollup (sums of days and longer), visits (of days), sample (of visitors), goals (their definitions).
 */
export const READ_SOURCES = ["aggregate", "raw", "sessions", "rollup", "visits", "sample", "goals"] as const;

export type ReadSource = (typeof READ_SOURCES)[number];

/** Within what bounds something is read, and who is told. */
export interface ReadLimits {
  /** For each statement, ms; a whole number above 0. */
  readonly statementTimeoutMs: number;
  /** How long the database may take to begin, ms: one that takes longer hangs. Default: as a statement. */
  readonly beginTimeoutMs?: number | undefined;
  /** Cancels the statement that runs. */
  readonly signal?: AbortSignal | undefined;
  /** Told what a statement has read, and how many rows it answered with. */
  readonly onRead?: ((sources: readonly ReadSource[], rows: number) => void) | undefined;
}

/**
 * Runs read-only statements in one snapshot, so that all of them count the same events.
 * @throws the reason of the limits' signal, or what the database says of a statement that was cancelled.
 */
export function inSnapshot<T>(
  pool: Pool,
  { statementTimeoutMs, beginTimeoutMs, signal }: ReadLimits,
  read: (client: Client) => Promise<T>,
): Promise<T> {
  // One message: a question of a small merchant takes little longer than the way there and back.
  const begin = [BEGIN, `SET LOCAL statement_timeout = ${statementTimeoutMs}`, MEMORY, AT_ONCE].join("; ");
  return transaction(pool, read, { begin, beginTimeoutMs, signal });
}
