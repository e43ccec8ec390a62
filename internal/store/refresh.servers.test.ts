import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { aggregatesOf } from "./continuous-aggregates.ts";
import type { Pool } from "./pool.ts";
import { refreshGrain, runLength } from "./refresh.ts";

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const T = Date.UTC(2026, 2, 1, 12);

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await openTestDatabase(2);
  pool = database.pool;
});

afterAll(() => database?.close());

// The aggregate forgets what lies in no bucket that is refreshed; so rows go away with a refresh of all.
beforeEach(async () => {
  await pool.query("TRUNCATE events; DELETE FROM invalidations");
  await pool.query("CALL refresh_continuous_aggregate('totals_15m', NULL, NULL)");
});

const query = async <T>(sql: string) => (await pool.query(sql)).rows as T[];

const stale = async () =>
  (
    await query<{ ms: number }>(
      "SELECT extract(epoch FROM start)::float8 * 1000 AS ms FROM invalidations WHERE grain = '15m' ORDER BY start",
    )
  ).map(({ ms }) => ms);

/** One page view for each time, and an order of 5 in every third. */
const commit = (times: readonly number[], partition = 0) =>
  commitNext(
    pool,
    [
      batchOf(
        times.map((ts, at) => {
          const order = {
            id: randomUUID(),
            revenue: 5,
            tax: 0,
            shipping: 0,
            discount: 0,
            currency: null,
            coupon: null,
          };
          const converted = at % 2 === 0 ? 5 : null;
          return eventRow({
            ts,
            merchant_id: partition + 1,
            order: at % 3 === 0 ? { ...order, converted } : null,
          });
        }),
      ),
    ],
    { partition },
  );

const COLUMNS = "merchant_id, bucket, events, page_views, orders, unconverted_orders, revenue_micros";

/** The aggregate as it stands, and the same counted from the rows; no time_bucket, no continuous aggregate. */
async function expectExact(): Promise<void> {
  const recount = await query(
    `SELECT merchant_id, to_timestamp(floor(extract(epoch FROM ts) / 900) * 900) AS bucket, count(*) AS events,
       sum((name = 'page_view')::integer) AS page_views,
       count(DISTINCT order_id) AS orders,
       sum((order_id IS NOT NULL AND revenue_micros IS NULL)::integer) AS unconverted_orders,
       sum(revenue_micros) AS revenue_micros
     FROM events GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  expect(await query(`SELECT ${COLUMNS} FROM totals_15m ORDER BY 1, 2`)).toEqual(recount);
}

/** A pool that lets others do something before each of its statements or connections, in turn. */
function interrupted(others: readonly (() => Promise<unknown>)[]): Pool {
  const waiting = [...others];
  const run = async (...args: unknown[]) => {
    await waiting.shift()?.();
    return (pool.query as (...args: unknown[]) => unknown)(...args);
  };
  const connect = async () => {
    await waiting.shift()?.();
    return pool.connect();
  };
  return { query: run, connect } as unknown as Pool;
}

const nothing = async () => {};

describe("refreshGrain", () => {
  test("makes the aggregate equal to a recount, clears what it did, and says how much that was", async () => {
    await commit([T, T + 1, T + QUARTER - 1, T + QUARTER]);
    await commit([T + 10 * QUARTER], 1);
    expect(await query("SELECT * FROM totals_15m")).toEqual([]);
    expect((await refreshGrain(pool, "15m")).starts.toSorted()).toEqual([T, T + QUARTER, T + 10 * QUARTER]);
    await expectExact();
    expect(await query("SELECT events FROM totals_15m ORDER BY bucket")).toEqual(
      [3, 1, 1].map((events) => ({ events: String(events) })),
    );
    expect(await stale()).toEqual([]);
    expect((await refreshGrain(pool, "15m")).starts).toEqual([]);
  });

  test("works for times of a hundred years ago and ahead, and before 1970", async () => {
    await commit([Date.UTC(1926, 5, 1), Date.UTC(1969, 11, 31, 23, 59), Date.UTC(2100, 0), T]);
    await commit([Date.UTC(1926, 5, 1, 0, 1)]);
    await refreshGrain(pool, "15m");
    await expectExact();
    await commit([Date.UTC(1926, 5, 1, 0, 2)]);
    await refreshGrain(pool, "15m");
    await expectExact();
  });

  test("moves refreshed_through to what was committed at its beginning, never back", async () => {
    const through = `SELECT refreshed_through AS r, committed_through AS c FROM partitions WHERE partition_id = 0`;
    const at = (minute: number) => new Date(T + minute * MINUTE);
    const commitAt = (minute: number) =>
      commitNext(pool, [batchOf([eventRow({ ts: T })])], { storedThrough: T + minute * MINUTE });
    await commitAt(1);
    await refreshGrain(interrupted([nothing, () => commitAt(2)]), "15m");
    expect(await query(through)).toEqual([{ r: at(1), c: at(2) }]);
    // A slow refresher, overtaken by another one.
    const overtake = async () => {
      await commitAt(3);
      await refreshGrain(pool, "15m");
    };
    await refreshGrain(interrupted([nothing, overtake]), "15m");
    expect(await query(through)).toEqual([{ r: at(3), c: at(3) }]);
  });

  test("a bucket that is written during its refresh stays stale", async () => {
    await commit([T]);
    // Statements: snapshot, refresh, clear. The write comes between the refresh and the clearing.
    await refreshGrain(interrupted([nothing, nothing, () => commit([T + 1])]), "15m");
    expect(await stale()).toEqual([T]);
    await refreshGrain(pool, "15m");
    await expectExact();
  });

  test("a bucket that another program refreshed, and that was then written again, stays stale", async () => {
    await commit([T]);
    await refreshGrain(interrupted([nothing, () => refreshGrain(pool, "15m"), () => commit([T + 1])]), "15m");
    expect(await stale()).toEqual([T]);
    await refreshGrain(pool, "15m");
    await expectExact();
  });

  test("what fails stays stale", async () => {
    await commit([T, T + 8 * QUARTER]);
    const refreshed = [...aggregatesOf("15m").map(() => nothing), nothing];
    const failing = interrupted([nothing, ...refreshed, () => Promise.reject(new Error("away"))]);
    await expect(refreshGrain(failing, "15m")).rejects.toThrow("away");
    // Newest first: the later one was done.
    expect(await stale()).toEqual([T]);
    await refreshGrain(pool, "15m");
    await expectExact();
  });

  test("after any commits and refreshes, one in another, the last refresh makes it exact", async () => {
    const times = fc.array(
      fc.nat(5).map((quarter) => T + quarter * QUARTER + 7),
      { minLength: 1, maxLength: 4 },
    );
    const write = fc.tuple(times, fc.nat(1)).map(
      ([list, partition]) =>
        () =>
          commit(list, partition),
    );
    const plain = fc.oneof(
      write,
      fc.constant(() => refreshGrain(pool, "15m")),
      fc.constant(nothing),
    );
    const nested = fc
      .array(plain, { minLength: 2, maxLength: 6 })
      .map((others) => () => refreshGrain(interrupted(others), "15m"));
    const check = async (steps: (() => Promise<unknown>)[]) => {
      for (const step of steps) await step();
      await refreshGrain(pool, "15m");
      expect(await stale()).toEqual([]);
      await expectExact();
    };
    const steps = fc.array(fc.oneof(write, nested), { minLength: 2, maxLength: 5 });
    await fc.assert(fc.asyncProperty(steps, check), { numRuns: 25 });
  });
});

test("runLength counts neighbours, newest first, up to so many", () => {
  const list = [9, 8, 7, 5, 4];
  expect(list.map((_, at) => runLength(list, at, 1, 96))).toEqual([3, 2, 1, 2, 1]);
  expect(runLength(list, 0, 1, 2)).toBe(2);
  expect(runLength(list, 0, 2, 96)).toBe(1);
});
