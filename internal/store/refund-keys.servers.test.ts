import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type EventRow, eventRow, type OrderRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { OrderKind } from "./event-columns.ts";

let database: TestDatabase;
let merchant = 0;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());
beforeEach(() => {
  merchant++;
});

interface Told extends Partial<OrderRow> {
  readonly at?: number;
  readonly hasDerivedId?: boolean;
}

const row = (name: string, kind: number, sign: bigint, amount: bigint, told: Told): EventRow => {
  const { at = 0, hasDerivedId = false, ...order } = told;
  return eventRow({
    merchant_id: merchant,
    name,
    ts: Date.UTC(2026, 2, 1) + at,
    hasDerivedId,
    order: {
      ...{ id: "o", revenue: amount, tax: 0, shipping: 0, discount: 0, currency: null, coupon: null },
      ...{ kind, converted: sign * amount },
      ...order,
    },
  });
};
const purchase = (amount: bigint, told: Told = {}) => row("purchase", OrderKind.ORDER, 1n, amount, told);
const refund = (amount: bigint, told: Told = {}) => row("refund", OrderKind.REFUND, -1n, amount, told);

const commit = (...batches: EventRow[][]) =>
  commitNext(
    database.pool,
    batches.map((rows) => batchOf(rows)),
  );

/** Kind, revenue and excess of the merchant's refunds, in the order of their times. */
async function refunds(): Promise<unknown[]> {
  const { rows } = await database.pool.query({
    text: `SELECT order_kind, revenue_micros::integer, refund_excess FROM events
           WHERE merchant_id = $1 AND order_kind IN (3, 4) ORDER BY ts`,
    values: [merchant],
    rowMode: "array",
  });
  return rows;
}

async function revenue(): Promise<number> {
  const { rows } = await database.pool.query<{ sum: number }>(
    "SELECT coalesce(sum(revenue_micros), 0)::integer AS sum FROM events WHERE merchant_id = $1",
    [merchant],
  );
  return rows[0]!.sum;
}

test("a refund that is told again counts once: in a batch, in a commit, in a later one", async () => {
  const told = (at: number) => refund(5n, { refundId: "r1", at });
  await commit([purchase(20n), told(1), told(2)], [told(3)]);
  await commit([told(4), refund(5n, { refundId: "r2", at: 5 })]);
  expect(await refunds()).toEqual([
    [3, -5, false],
    [4, null, null],
    [4, null, null],
    [4, null, null],
    [3, -5, false],
  ]);
  expect(await revenue()).toBe(10);
});

test("the same id of another order, and of another merchant, is another refund", async () => {
  await commit([refund(5n, { refundId: "1" }), refund(5n, { refundId: "1", id: "p" })]);
  expect(await revenue()).toBe(-10);
  merchant++;
  await commit([refund(5n, { refundId: "1" })]);
  expect(await revenue()).toBe(-5);
});

test("without an id of its own the event's stands in, and without that the order and the amount", async () => {
  await commit([refund(5n), refund(5n)]);
  expect(await revenue()).toBe(-10);
  const bare = (amount: bigint, told: Told = {}) => refund(amount, { hasDerivedId: true, id: "p", ...told });
  await commit([bare(7n), bare(7n), bare(1n)], [bare(7n)]);
  await commit([bare(7n), bare(7n, { currency: "USD", converted: -3n })]);
  expect(await revenue()).toBe(-10 - 7 - 1 - 3);
});

test("an id cannot be taken for an amount", async () => {
  await commit([refund(5n, { hasDerivedId: true }), refund(5n, { refundId: "amount 5 " })]);
  expect(await revenue()).toBe(-10);
});

test("an event whose row is gone finds its own claim, and counts as it did", async () => {
  const told = refund(5n, { refundId: "r" });
  await commit([told]);
  await database.pool.query("DELETE FROM events WHERE event_id = $1", [told.event_id]);
  await database.pool.query("DELETE FROM event_keys WHERE event_id = $1", [told.event_id]);
  await commit([told]);
  expect(await revenue()).toBe(-5);
});

test("more than the order's total is kept and flagged, from the refund on that passes it", async () => {
  await commit([purchase(100n), refund(60n, { at: 1 }), refund(40n, { at: 2 }), refund(1n, { at: 3 })]);
  await commit([refund(50n, { at: 4 })]);
  expect(await refunds()).toEqual([
    [3, -60, false],
    [3, -40, false],
    [3, -1, true],
    [3, -50, true],
  ]);
});

test("what is not known is not flagged: an order that comes later, never, or in another currency", async () => {
  const foreign = { currency: "USD", converted: -1n };
  await commit([refund(60n, { at: 1 }), refund(5n, { id: "never", at: 2 })]);
  await commit([purchase(50n)]);
  await commit([refund(1n, { ...foreign, at: 3 }), refund(1n, { at: 4 })]);
  expect(await refunds()).toEqual([
    [3, -60, null],
    [3, -5, null],
    [3, -1, null],
    // What came before the order counts against it.
    [3, -1, true],
  ]);
});

test("an order in another currency is compared in it, whatever it was converted by", async () => {
  const dollars = (converted: bigint): Told => ({ currency: "USD", converted });
  await commit([purchase(100n, dollars(90n)), refund(100n, { ...dollars(-110n), at: 1 })]);
  await commit([refund(1n, { ...dollars(-1n), at: 2 })]);
  expect(await refunds()).toEqual([
    [3, -110, false],
    [3, -1, true],
  ]);
});

test("any refunds in any batches and commits: each of an order counts once", async () => {
  const told = fc.record({
    id: fc.constantFrom("a", "b"),
    refundId: fc.constantFrom("1", "2", "id 1", null),
    hasDerivedId: fc.boolean(),
    amount: fc.constantFrom(1n, 10n),
  });
  const commits = fc.array(fc.array(fc.array(told, { maxLength: 4 }), { maxLength: 3 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(commits, async (given) => {
      merchant++;
      const counted = new Map<string, bigint>();
      for (const [at, { id, refundId, hasDerivedId, amount }] of given.flat(2).entries()) {
        const own = refundId ?? (hasDerivedId ? [amount.toString()] : at);
        const key = JSON.stringify([id, own]);
        if (!counted.has(key)) counted.set(key, amount);
      }
      for (const batches of given) {
        await commit(...batches.map((list) => list.map(({ amount, ...rest }) => refund(amount, rest))));
      }
      const total = [...counted.values()].reduce((sum, amount) => sum + amount, 0n);
      expect(await revenue()).toBe(Number(-total));
    }),
    { numRuns: 25 },
  );
});
