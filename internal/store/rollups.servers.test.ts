import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { addMerchantWithRollups, openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { DAY_MS } from "./day.ts";
import { refreshGrain } from "./refresh.ts";
import { readRollupsWanted } from "./rollups.ts";

const TODAY = Date.UTC(2026, 2, 10);
const HOUR = 3_600_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(2);
});
afterAll(() => database?.close());
beforeEach(() => database.pool.query("TRUNCATE events, items, invalidations"));

const commit = (rows: readonly { merchant: number; ts: number }[]) =>
  commitNext(
    database.pool,
    [batchOf(rows.map(({ merchant, ts }) => eventRow({ merchant_id: merchant, ts })))],
    {
      partition: 0,
    },
  );
const times = (count: number, from: number) => Array.from({ length: count }, (_, i) => from + i * 1_000);
const invalidDays = async () =>
  (
    await database.pool.query<{ day: Date }>(
      "SELECT start AS day FROM invalidations WHERE grain = '1d' ORDER BY day",
    )
  ).rows.map(({ day }) => Number(day));

test("who had many events on a day that is over, long ago too, is to have rollups from the first such day on", async () => {
  const { pool } = database;
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO merchants (name, time_zone, currency, retention_days)
     SELECT 'm' || n, 'UTC', 'EUR', 400 FROM generate_series(1, 2) n RETURNING merchant_id AS id`,
  );
  const [large, small] = rows.map(({ id }) => id) as [number, number];
  const on = (merchant: number, count: number, day: number) =>
    times(count, day + HOUR).map((ts) => ({ merchant, ts }));
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  await commit([
    ...on(large, 4, TODAY - 30 * DAY_MS),
    ...on(large, 5, TODAY - 20 * DAY_MS),
    ...on(large, 9, TODAY),
    ...on(small, 4, TODAY),
    ...on(small, 9, today),
  ]);
  await refreshGrain(pool, "15m");
  expect([...(await readRollupsWanted(pool))]).toEqual([]);
  await refreshGrain(pool, "1d", { rollupEventsPerDay: 5 });
  expect([...(await readRollupsWanted(pool))]).toEqual([[large, TODAY - 20 * DAY_MS]]);
});

test("a day is stale from the refresh of its quarter hours on until it is over and refreshed itself", async () => {
  const { pool } = database;
  await addMerchantWithRollups(pool);
  const now = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  await commit([TODAY, TODAY + HOUR, now].map((ts) => ({ merchant: 1, ts })));
  expect(await invalidDays()).toEqual([]);
  await refreshGrain(pool, "15m");
  expect(await invalidDays()).toEqual([TODAY, now]);
  expect((await refreshGrain(pool, "1d")).starts).toEqual([TODAY]);
  expect(await invalidDays()).toEqual([now]);
});

test("a day that is marked again while it is refreshed stays stale", async () => {
  const { pool } = database;
  await addMerchantWithRollups(pool);
  await commit([{ merchant: 1, ts: TODAY }]);
  await refreshGrain(pool, "15m");
  const late = async () => {
    await commit([{ merchant: 1, ts: TODAY + HOUR }]);
    await refreshGrain(pool, "15m");
  };
  const interrupted = {
    query: pool.query.bind(pool),
    // Between the reading of the marks and their clearing.
    connect: () => late().then(() => pool.connect()),
  } as unknown as typeof pool;
  await refreshGrain(interrupted, "1d");
  expect(await invalidDays()).toEqual([TODAY]);
});
