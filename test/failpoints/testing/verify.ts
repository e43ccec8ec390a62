import { expect } from "vitest";
import { waitFor } from "../../kit/installation-wait.ts";
import type { Load } from "./client.ts";
import { type Installation, progress } from "./installation.ts";

const BUCKET_MS = 15 * 60_000;

/**
 * What is still on its way: empty when nothing is. Asked along the path: nothing comes any more into a part
 * whose forerunners were found empty.
 */
async function underWay(installation: Installation): Promise<string[]> {
  const { plain, spooling, ingest, pool } = installation;
  const amounts: [string, number][] = [
    ["bytes pending", await plain.program.gauge("footfall_collector_pending_bytes")],
    ["bytes pending beside the spool", await spooling.program.gauge("footfall_collector_pending_bytes")],
    ["batches in the spool", await spooling.program.gauge("footfall_collector_spool_batches")],
    ["bytes in ingest", await ingest.gauge("footfall_ingest_in_flight_bytes")],
  ];
  for (const { partition, position, last } of await progress(installation)) {
    amounts.push([`batches of partition ${partition} behind position ${position}`, last - position]);
  }
  const { rowCount } = await pool.query("SELECT 1 FROM invalidations WHERE grain = '15m'");
  amounts.push(["invalid buckets", rowCount ?? 0]);
  return amounts.filter(([, amount]) => amount !== 0).map(([what, amount]) => `${amount} ${what}`);
}

/** Waits until nothing is on its way any more. @throws naming what still is. */
async function quiet(installation: Installation): Promise<void> {
  await waitFor("everything to be drained", async () => {
    const left = await underWay(installation);
    if (left.length > 0) throw new Error(left.join(", "));
    return true;
  });
}

/** Each event of the loads, all of them acked, is stored exactly once; ledger, keys and aggregate say the same. */
export async function expectExactlyOnce(installation: Installation, loads: readonly Load[]): Promise<void> {
  await quiet(installation);
  const { pool } = installation;
  const buckets = [...new Set(loads.map(({ time }) => Math.floor(time / BUCKET_MS) * BUCKET_MS))];
  const { rows } = await pool.query<{ id: string }>(
    `SELECT event_id AS id FROM unnest($1::float8[]) AS b (ms), events
     WHERE ts >= to_timestamp(ms / 1000) AND ts < to_timestamp(ms / 1000) + INTERVAL '15 minutes'`,
    [buckets],
  );
  expect(rows.map(({ id }) => id).sort()).toEqual(loads.flatMap(({ ids }) => ids).sort());
  const { rows: sums } = await pool.query<Record<string, number>>(
    `SELECT (SELECT count(*) FROM events)::integer AS events, (SELECT count(*) FROM event_keys)::integer AS keys,
       (SELECT sum(stored) FROM batch_ledger)::integer AS stored,
       (SELECT sum(dead_lettered) FROM batch_ledger)::integer AS dead_lettered,
       (SELECT count(*) FROM stream_gaps)::integer AS gaps,
       (SELECT sum(events) FROM totals_15m)::integer AS aggregated`,
  );
  const { events } = sums[0]!;
  expect(sums[0]).toEqual({
    events,
    keys: events,
    stored: events,
    dead_lettered: 0,
    gaps: 0,
    aggregated: events,
  });
  const { rows: differences } = await pool.query(
    `SELECT * FROM (SELECT merchant_id, time_bucket('15 minutes', ts) AS bucket, count(*) AS events
       FROM events GROUP BY 1, 2) AS raw
     FULL JOIN totals_15m AS totals USING (merchant_id, bucket)
     WHERE raw.events IS DISTINCT FROM totals.events`,
  );
  expect(differences).toEqual([]);
}

/** JetStream is never told of more than is committed: asked while the aggregator is dead. */
export async function expectAckedIsCommitted(installation: Installation): Promise<void> {
  const wrong = (await progress(installation)).filter(({ acked, position }) => acked > position);
  expect({ ackedButNotCommitted: wrong }).toEqual({ ackedButNotCommitted: [] });
}
