import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { addMerchantWithRollups, openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { refreshStale } from "./refresh.ts";
import { refreshStaleDays } from "./refresh-days.ts";
import { refreshStaleMonths } from "./refresh-months.ts";
import { addLargeMerchants, DAY_MS, readRollupStarts } from "./rollups.ts";

const TODAY = Date.UTC(2026, 2, 10);
const HOUR = 3_600_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(2);
});
afterAll(() => database?.close());
beforeEach(() => database.pool.query("TRUNCATE events, items, stale_buckets, stale_days, stale_months"));

const commit = (rows: readonly { merchant: number; ts: number }[]) =>
  commitNext(
    database.pool,
    [batchOf(rows.map(({ merchant, ts }) => eventRow({ merchant_id: merchant, ts })))],
    {
      partition: 0,
    },
  );
const times = (count: number, from: number) => Array.from({ length: count }, (_, i) => from + i * 1_000);
const staleDays = async () =>
  (await database.pool.query<{ day: Date }>("SELECT day FROM stale_days ORDER BY day")).rows.map(({ day }) =>
    Number(day),
  );

test("who had enough events yesterday joins at a midnight two hours ahead or more, once", async () => {
  const { pool } = database;
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO merchants (name, time_zone, currency, retention_days)
     SELECT 'm' || n, 'UTC', 'EUR', 400 FROM generate_series(1, 3) n RETURNING merchant_id AS id`,
  );
  const [large, small, today] = rows.map(({ id }) => id) as [number, number, number];
  await commit([
    ...times(5, TODAY - HOUR).map((ts) => ({ merchant: large, ts })),
    ...times(4, TODAY - HOUR).map((ts) => ({ merchant: small, ts })),
    ...times(9, TODAY).map((ts) => ({ merchant: today, ts })),
  ]);
  await refreshStale(pool);
  expect(await addLargeMerchants(pool, TODAY + 23 * HOUR, 5)).toBe(1);
  expect([...(await readRollupStarts(pool))]).toEqual([[large, TODAY + 2 * DAY_MS]]);
  expect(await addLargeMerchants(pool, TODAY + 23.5 * HOUR, 5)).toBe(0);
  expect([...(await readRollupStarts(pool))]).toEqual([[large, TODAY + 2 * DAY_MS]]);
});

test("a day is stale from the refresh of its quarter hours on until it is over and refreshed itself", async () => {
  const { pool } = database;
  await addMerchantWithRollups(pool);
  const now = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  await commit([TODAY, TODAY + HOUR, now].map((ts) => ({ merchant: 1, ts })));
  expect(await staleDays()).toEqual([]);
  await refreshStale(pool);
  expect(await staleDays()).toEqual([TODAY, now]);
  expect(await refreshStaleDays(pool)).toBe(1);
  expect(await staleDays()).toEqual([now]);
});

test("a month is stale from the refresh of its days on until it is over, an hour has gone, and it is refreshed", async () => {
  const { pool } = database;
  await addMerchantWithRollups(pool);
  const staleMonths = async () =>
    (await pool.query<{ month: Date }>("SELECT month FROM stale_months ORDER BY month")).rows.map(
      ({ month }) => Number(month),
    );
  const now = new Date();
  const thisMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
  const oldMonth = Date.UTC(2026, 2, 1);
  await commit([{ merchant: 1, ts: TODAY }]);
  await refreshStale(pool);
  expect(await staleMonths()).toEqual([]);
  await refreshStaleDays(pool);
  await pool.query("INSERT INTO stale_months (month, partition_id) VALUES ($1, 0)", [new Date(thisMonth)]);
  expect(await refreshStaleMonths(pool)).toBe(0);
  expect(await staleMonths()).toEqual([oldMonth, thisMonth]);
  await pool.query("UPDATE stale_months SET marked_at = now() - INTERVAL '61 minutes'");
  expect(await refreshStaleMonths(pool)).toBe(1);
  expect(await staleMonths()).toEqual([thisMonth]);
});

test("a day that is marked again while it is refreshed stays stale", async () => {
  const { pool } = database;
  await addMerchantWithRollups(pool);
  await commit([{ merchant: 1, ts: TODAY }]);
  await refreshStale(pool);
  const late = async () => {
    await commit([{ merchant: 1, ts: TODAY + HOUR }]);
    await refreshStale(pool);
  };
  const interrupted = {
    query: pool.query.bind(pool),
    // Between the reading of the marks and their clearing.
    connect: () => late().then(() => pool.connect()),
  } as unknown as typeof pool;
  await refreshStaleDays(interrupted);
  expect(await staleDays()).toEqual([TODAY]);
});
