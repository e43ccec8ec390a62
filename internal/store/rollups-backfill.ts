import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure/failure.ts";
import { DAY_MS } from "./day.ts";
import { prepareForColumnstore } from "./decompression.ts";
import { invalidateSql } from "./invalidations.ts";
import { type Pool, transaction } from "./pool.ts";
import { ROLLUPS_FRESH_MS } from "./rollups.ts";

export interface Backfill {
  readonly merchantId: number;
  /** The partition that the merchant lives in. */
  readonly partition: number;
  /** A midnight, ms since 1970-01-01 UTC: rows from then on are to be in the rollups. */
  readonly from: number;
}

/** What a backfill has done. */
export interface Backfilled {
  /** Rows of events that were not in the rollups before. */
  readonly marked: number;
  /** From when on reports use rollups, ms since 1970-01-01 UTC. */
  readonly readyFrom: number;
}

export interface BackfillOptions {
  /** Told what is going on, one line a step. */
  readonly tell: (line: string) => void;
  /**
   * How long after the change of the list everything that is read from the stream has been marked by the new one, ms.
   * Default: twice ROLLUPS_FRESH_MS, of which one is for clocks that differ.
   */
  readonly knownMs?: number;
  /** Pause between two looks at what is waited for, ms. Default: 1,000. */
  readonly pollMs?: number;
  /** Ends it in between. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives a merchant rollups from an earlier day on. First the list is changed, from which aggregators mark what they
 * write; when everything that may have been marked by the old list is committed, the rows of the past are marked, day
 * by day, newest first, and their quarter hours noted as stale. When these are refreshed, reports may use them; until
 * then reports go on as before. Nothing is lost when it ends in between: run again, it marks what is not marked yet.
 *
 * An aggregator must be running: it commits, and it refreshes.
 * @throws Failure "not_found" for an unknown merchant; the signal's AbortError.
 */
export async function backfillRollups(
  pool: Pool,
  backfill: Backfill,
  options: BackfillOptions,
): Promise<Backfilled> {
  const { readyFrom, changedAt } = await changeList(pool, backfill);
  if (readyFrom !== null && readyFrom <= backfill.from) return { marked: 0, readyFrom };
  const { knownMs = 2 * ROLLUPS_FRESH_MS, tell } = options;
  tell("waiting until every aggregator knows");
  await until(options, () => isCommitted(pool, backfill.partition, changedAt + knownMs));
  // What is younger than the list's change is marked as it is written.
  const end = readyFrom ?? (Math.floor(changedAt / DAY_MS) + 2) * DAY_MS;
  let marked = 0;
  for (let day = end - DAY_MS; day >= backfill.from; day -= DAY_MS) {
    options.signal?.throwIfAborted();
    const rows = await markDay(pool, backfill, day);
    if (rows > 0) tell(`${new Date(day).toISOString().slice(0, 10)}: ${rows} rows marked`);
    marked += rows;
  }
  tell("waiting until what was marked is refreshed");
  const { rows } = await pool.query<{ version: string }>(
    "SELECT coalesce(max(version), 0) AS version FROM invalidations",
  );
  await until(options, () => isRefreshed(pool, backfill, rows[0]!.version));
  await pool.query(
    `UPDATE merchants SET rollups_ready_from = least(rollups_ready_from, $2),
       rollups_wanted_from = CASE WHEN rollups_wanted_from < $2 THEN rollups_wanted_from END
     WHERE merchant_id = $1`,
    [backfill.merchantId, new Date(backfill.from)],
  );
  return { marked, readyFrom: backfill.from };
}

async function changeList(pool: Pool, { merchantId, from }: Backfill) {
  const { rows } = await pool.query<{ readyFrom: number | null; changedAt: number }>(
    `UPDATE merchants SET rollups_from = least(rollups_from, $2)
     WHERE merchant_id = $1
     RETURNING (extract(epoch FROM rollups_ready_from) * 1000)::float8 AS "readyFrom",
       (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "changedAt"`,
    [merchantId, new Date(from)],
  );
  if (rows[0] === undefined) throw new Failure("not_found", `there is no merchant ${merchantId}`);
  return rows[0];
}

/** Whether everything is committed that the stream had before a time, ms. */
async function isCommitted(pool: Pool, partition: number, time: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    "SELECT FROM partitions WHERE partition_id = $1 AND committed_through >= $2",
    [partition, new Date(time)],
  );
  return rowCount === 1;
}

/**
 * Marks a merchant's rows of a day, in the columnstore too, and invalidates their quarter hours.
 * @returns how many events were marked.
 */
function markDay(pool: Pool, { merchantId, partition }: Backfill, day: number): Promise<number> {
  const scope = [merchantId, new Date(day), new Date(day + DAY_MS)];
  return transaction(pool, async (client) => {
    await prepareForColumnstore(client);
    const { rows } = await client.query<{ marked: number }>(
      `WITH marked AS (
         UPDATE events SET in_rollups = true
         WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 AND NOT in_rollups
         RETURNING time_bucket(INTERVAL '15 minutes', ts) AS bucket
       ), invalidated AS (
         ${invalidateSql("SELECT bucket, $4::integer AS partition_id FROM marked")}
       )
       SELECT count(*)::integer AS marked FROM marked`,
      [...scope, partition],
    );
    await client.query(
      "UPDATE items SET in_rollups = true WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 AND NOT in_rollups",
      scope,
    );
    return rows[0]!.marked;
  });
}

/** Whether no quarter hour is left as a backfill marked it: it was refreshed, or written again, which reports see. */
async function isRefreshed(pool: Pool, { partition, from }: Backfill, version: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT FROM invalidations
     WHERE grain = '15m' AND partition_id = $1 AND start >= $2 AND version <= $3 LIMIT 1`,
    [partition, new Date(from), version],
  );
  return rowCount === 0;
}

async function until(
  { pollMs = 1_000, signal }: BackfillOptions,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  while (!(await isTrue())) await sleep(pollMs, undefined, { signal });
}
