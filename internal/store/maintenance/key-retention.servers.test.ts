import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { forbidDecompression, openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { uuidV7Of } from "../../../test/kit/ids.ts";
import { OrderKind } from "../event-columns.ts";
import { convertOld } from "./columnstore.ts";
import { expire } from "./retention.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 20, 10);
const RETENTION_DAYS = 30;
/** Keys outlive the retention by so much. */
const MARGIN_DAYS = 30;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
  await forbidDecompression(database.pool);
});
afterAll(() => database?.close());
beforeEach(async () => {
  await query(
    "TRUNCATE events, event_keys, distant_keys, order_keys, refund_keys, batch_ledger, merchants CASCADE",
  );
  await query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days) OVERRIDING SYSTEM VALUE
     SELECT id, 'shop', 'UTC', 'EUR', $1 FROM generate_series(1, 3) id`,
    [RETENTION_DAYS],
  );
});

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

/** Sends events that happen, and are received, at a time; how many of them were new. */
async function send(ids: readonly string[], time: number, merchant_id = 1): Promise<number> {
  const rows = ids.map((event_id) => eventRow({ merchant_id, event_id, ts: time, received_at: time }));
  return (await commitNext(database.pool, [batchOf(rows)])).stored;
}

/** A round of maintenance as of a time. */
async function maintain(time: number): Promise<void> {
  await expire(database.pool, time);
  await convertOld(database.pool, time - 3 * DAY);
}

const keys = async () => (await query<{ n: number }>("SELECT count(*)::integer AS n FROM event_keys"))[0]!.n;
const noted = async () =>
  (await query<{ n: number }>("SELECT count(*)::integer AS n FROM distant_keys"))[0]!.n;

test("an id of a device whose clock stands in 2021 is stored once, and with it its order", async () => {
  const order = { id: "o", revenue: 7, tax: 0, shipping: 0, discount: 0, currency: null, coupon: null };
  const row = eventRow({
    event_id: uuidV7Of(Date.UTC(2021, 4)),
    name: "purchase",
    ts: NOW,
    received_at: NOW,
    order: { ...order, kind: OrderKind.ORDER, converted: 7 },
  });
  const stored: number[] = [];
  for (let day = 0; day < 3; day++) {
    stored.push((await commitNext(database.pool, [batchOf([row])])).stored);
    await maintain(NOW + day * DAY);
  }
  expect(stored).toEqual([1, 0, 0]);
  expect(await query("SELECT count(*)::integer AS orders FROM events WHERE order_kind = 1")).toEqual([
    { orders: 1 },
  ]);
});

test("keys that outlive their chunk stay, all others of it go, and they go too when their own time has come", async () => {
  const [old, young] = [NOW - 200 * DAY, NOW];
  const usual = Array.from({ length: 20 }, (_, at) => uuidV7Of(old + at));
  const distant = Array.from({ length: 5 }, (_, at) => uuidV7Of(old + at));
  expect(await send(usual, old)).toBe(20);
  expect(await send(usual.slice(0, 10), old, 2)).toBe(10);
  await convertOld(database.pool, NOW);
  expect(await send(distant, young)).toBe(5);
  expect([await keys(), await noted()]).toEqual([35, 1]);
  await maintain(young);
  expect([await keys(), await noted()]).toEqual([5, 1]);
  expect(await send(distant, young + 50 * DAY)).toBe(0);
  await maintain(young + (RETENTION_DAYS + MARGIN_DAYS - 1) * DAY);
  expect(await send(distant, young + 50 * DAY)).toBe(0);
  await maintain(young + (RETENTION_DAYS + MARGIN_DAYS + 8) * DAY);
  expect([await keys(), await noted()]).toEqual([0, 0]);
  expect(await query("SELECT FROM show_chunks('event_keys')")).toEqual([]);
});

test("an id of the future goes by when it was received, others of its chunk stay", async () => {
  const future = NOW + 100 * DAY;
  const early = uuidV7Of(future);
  expect(await send([early], NOW)).toBe(1);
  const usual = Array.from({ length: 3 }, (_, at) => uuidV7Of(future + at));
  expect(await send(usual, future)).toBe(3);
  await maintain(future);
  expect(await keys()).toBe(3);
  expect(await send(usual, future)).toBe(0);
});

test("keys of orders and refunds go a month after the retention", async () => {
  const ages = [RETENTION_DAYS + MARGIN_DAYS - 1, RETENTION_DAYS + MARGIN_DAYS + 1];
  for (const age of ages) {
    await query(
      "INSERT INTO order_keys (merchant_id, order_id, event_id, ts) VALUES (1, $1, gen_random_uuid(), $2)",
      [String(age), new Date(NOW - age * DAY)],
    );
    await query(
      `INSERT INTO refund_keys (merchant_id, order_id, refund_key, event_id, ts, amount_micros)
       VALUES (1, $1, 'id 1', gen_random_uuid(), $2, 1)`,
      [String(age), new Date(NOW - age * DAY)],
    );
  }
  await expire(database.pool, NOW);
  const left = [{ order_id: String(ages[0]) }];
  expect(await query("SELECT order_id FROM order_keys")).toEqual(left);
  expect(await query("SELECT order_id FROM refund_keys")).toEqual(left);
});

test("whatever time is inside an id, it is stored once until its key's time is over, and then nothing is left", async () => {
  const inner = fc.oneof(
    fc.constant(undefined),
    fc.date({ min: new Date("2015-01-01Z"), max: new Date("2055-01-01Z"), noInvalidDate: true }),
    // About where chunks are dropped, and where an id is far from its receiving.
    fc.integer({ min: -100, max: 20 }).map((days) => new Date(NOW + days * DAY)),
  );
  const step = fc.record({
    id: fc.nat(5),
    days: fc.integer({ min: 0, max: 5 }),
    merchant: fc.integer({ min: 1, max: 2 }),
  });
  const check = async (
    inners: (Date | undefined)[],
    steps: { id: number; days: number; merchant: number }[],
  ) => {
    await query("TRUNCATE events, event_keys, distant_keys, batch_ledger, retention_progress");
    const ids = inners.map((time) => (time === undefined ? randomUUID() : uuidV7Of(Number(time))));
    const seen = new Set<string>();
    let time = NOW;
    for (const { id, days, merchant } of steps) {
      const at = id % ids.length;
      expect(await send([ids[at]!, ids[at]!], time, merchant)).toBe(seen.has(`${merchant} ${at}`) ? 0 : 1);
      seen.add(`${merchant} ${at}`);
      time += days * DAY;
      await maintain(time);
    }
    await maintain(time + 30 * 366 * DAY);
    expect([await keys(), await noted()]).toEqual([0, 0]);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(inner, { minLength: 1, maxLength: 6 }),
      fc.array(step, { minLength: 1, maxLength: 10 }),
      check,
    ),
    { numRuns: 12 },
  );
}, 120_000);
