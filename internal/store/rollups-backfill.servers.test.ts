import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { DAY_MS } from "./day.ts";
import { convertOld } from "./maintenance/columnstore.ts";
import { verifyAggregates } from "./maintenance/verify.ts";
import type { Pool } from "./pool.ts";
import { refreshGrain } from "./refresh.ts";
import { backfillRollups } from "./rollups-backfill.ts";

const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const FROM = TODAY - 10 * DAY_MS;
const HOUR = 3_600_000;

let database: TestDatabase;
let pool: Pool;
let merchant: number;
let other: number;
beforeAll(async () => {
  database = await openTestDatabase(1);
  pool = database.pool;
});
afterAll(() => database?.close());

beforeEach(async () => {
  await pool.query("TRUNCATE events, items, invalidations, merchants CASCADE");
  await pool.query("UPDATE partitions SET committed_through = NULL");
  await pool.query("CALL refresh_continuous_aggregate('sessions_15m', NULL, NULL)");
  [merchant, other] = await newMerchants();
  // Two of the merchant's events and one of another's a day, of which some are in the columnstore.
  const days = Array.from({ length: 20 }, (_, n) => TODAY - n * DAY_MS);
  await commit(
    days.flatMap((day) => [day + HOUR, day + 2 * HOUR].map((ts) => ({ merchant_id: merchant, ts }))),
  );
  await commit(days.map((ts) => ({ merchant_id: other, ts })));
  await refreshGrain(pool, "15m");
  await convertOld(pool, TODAY - 3 * DAY_MS);
});

async function newMerchants(): Promise<[number, number]> {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO merchants (name, time_zone, currency, retention_days)
     SELECT 'shop', 'UTC', 'EUR', 400 FROM generate_series(1, 2) RETURNING merchant_id AS id`,
  );
  return rows.map(({ id }) => id) as [number, number];
}

const commit = (rows: Parameters<typeof eventRow>[0][], storedThrough = TODAY - 30 * DAY_MS) =>
  commitNext(pool, [batchOf(rows.map((row) => eventRow(row)))], { storedThrough });

/** What is committed up to a time by which every aggregator knows. */
const known = () => commit([{ merchant_id: other, ts: TODAY }], Date.now() + HOUR);

const flagged = async () =>
  (
    await pool.query<{ merchant: number; before: number; after: number }>(
      `SELECT merchant_id AS merchant, count(*) FILTER (WHERE ts < $1)::integer AS before,
         count(*) FILTER (WHERE ts >= $1)::integer AS after
       FROM events WHERE in_rollups GROUP BY 1`,
      [new Date(FROM)],
    )
  ).rows;

const readyFrom = async () =>
  (
    await pool.query<{ at: Date | null }>(
      "SELECT rollups_ready_from AS at FROM merchants WHERE merchant_id = $1",
      [merchant],
    )
  ).rows[0]!.at;

/** Runs a backfill beside a refresher, whose rounds do not pile up on a slow machine. */
async function backfill(through: Pool = pool, told: string[] = []) {
  const over = new AbortController();
  const refresh = async () => {
    while (!over.signal.aborted) {
      await refreshGrain(pool, "15m").catch(() => {});
      await sleep(100);
    }
  };
  const refreshing = refresh();
  try {
    const options = { knownMs: 1_000, pollMs: 20, tell: (line: string) => void told.push(line) };
    return await backfillRollups(through, { merchantId: merchant, partition: 0, from: FROM }, options);
  } finally {
    over.abort();
    await refreshing;
  }
}

test("rows of the past are marked, those that came under the old list too, and reports may use them then", async () => {
  const told: string[] = [];
  const done = backfill(pool, told);
  await vi.waitFor(() => expect(told).toHaveLength(1), 10_000);
  // An aggregator that does not know yet.
  await commit([{ merchant_id: merchant, ts: TODAY - 5 * DAY_MS }]);
  expect(await flagged()).toEqual([]);
  expect(await readyFrom()).toBeNull();
  await known();
  expect(await done).toEqual({ marked: 11 * 2 + 1, readyFrom: FROM });
  expect(await flagged()).toEqual([{ merchant, before: 0, after: 11 * 2 + 1 }]);
  expect(Number(await readyFrom())).toBe(FROM);
  const { rows } = await pool.query("SELECT sum(events)::integer AS events FROM sessions_15m");
  expect(rows).toEqual([{ events: 11 * 2 + 1 }]);
  expect(await verifyAggregates(pool, { from: FROM - 30 * DAY_MS, to: TODAY + DAY_MS })).toEqual([]);
  expect(await backfill()).toEqual({ marked: 0, readyFrom: FROM });
});

test("one that ends in the middle changes no report, and goes on when it is run again", async () => {
  await known();
  await pool.query("UPDATE partitions SET committed_through = now() + INTERVAL '1 hour'");
  let transactions = 0;
  const dying = new Proxy(pool, {
    get: (target, key) => {
      if (key === "connect" && ++transactions > 4) throw new Error("killed");
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await expect(backfill(dying)).rejects.toThrow("killed");
  expect(await readyFrom()).toBeNull();
  expect((await backfill()).readyFrom).toBe(FROM);
  expect(await flagged()).toEqual([{ merchant, before: 0, after: 11 * 2 }]);
});

test("a merchant that has rollups keeps them meanwhile; an unknown one is refused", async () => {
  const since = new Date(TODAY - 4 * DAY_MS);
  await pool.query("UPDATE merchants SET rollups_from = $2, rollups_ready_from = $2 WHERE merchant_id = $1", [
    merchant,
    since,
  ]);
  await pool.query("UPDATE events SET in_rollups = true WHERE merchant_id = $1 AND ts >= $2", [
    merchant,
    since,
  ]);
  const done = backfill();
  await vi.waitFor(async () => {
    const { rows } = await pool.query("SELECT FROM merchants WHERE rollups_from = $1", [new Date(FROM)]);
    expect(rows).toHaveLength(1);
  }, 10_000);
  expect(await readyFrom()).toEqual(since);
  await known();
  expect(await done).toEqual({ marked: 6 * 2, readyFrom: FROM });
  const unknown = backfillRollups(pool, { merchantId: 99_999, partition: 0, from: FROM }, { tell: () => {} });
  await expect(unknown).rejects.toMatchObject({ kind: "not_found" });
});
