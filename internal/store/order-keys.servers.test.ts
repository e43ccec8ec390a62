import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EventRow, eventRow, type OrderRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { OrderKind } from "./event-columns.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());

const order = (id: string, fields: Partial<OrderRow> = {}): OrderRow => ({
  id,
  revenue: 7,
  tax: 0,
  shipping: 0,
  discount: 0,
  currency: null,
  coupon: null,
  converted: 7,
  ...fields,
});

let merchant = 0;
const row = (id: string, fields: Partial<EventRow> = {}, ofOrder: Partial<OrderRow> = {}) =>
  eventRow({ merchant_id: merchant, name: "purchase", order: order(id, ofOrder), ...fields });

/** Orders that count and the revenue of a merchant, by plain SQL; and how many rows carry an order. */
async function stored() {
  const { rows } = await database.pool.query(
    `SELECT count(*) FILTER (WHERE order_kind = 1)::integer AS orders, coalesce(sum(revenue_micros), 0)::integer AS revenue,
       count(*)::integer AS rows FROM events WHERE merchant_id = $1 AND order_id IS NOT NULL`,
    [merchant],
  );
  return rows[0];
}

const commit = (...batches: EventRow[][]) =>
  commitNext(
    database.pool,
    batches.map((rows) => batchOf(rows)),
  );

test("an order that comes again counts once: in a batch, in a commit, in a later one", async () => {
  merchant = 1;
  await commit([row("a"), row("a"), row("b")], [row("a")]);
  expect(await stored()).toEqual({ orders: 2, revenue: 14, rows: 4 });
  await commit([row("b", { ts: Date.UTC(2026, 4, 1) }), row("c")]);
  expect(await stored()).toEqual({ orders: 3, revenue: 21, rows: 6 });
});

test("the same order id of another merchant is another order", async () => {
  merchant = 2;
  await commit([row("a"), { ...row("a"), merchant_id: 3 }]);
  expect(await stored()).toEqual({ orders: 1, revenue: 7, rows: 1 });
  merchant = 3;
  expect(await stored()).toEqual({ orders: 1, revenue: 7, rows: 1 });
});

test("refunds take revenue away and claim no order", async () => {
  merchant = 4;
  const refund = () => row("a", { name: "refund" }, { kind: OrderKind.REFUND, converted: -2 });
  await commit([refund(), row("a"), refund()]);
  expect(await stored()).toEqual({ orders: 1, revenue: 3, rows: 3 });
});

test("an event that mentions an order neither counts nor stands in its way", async () => {
  merchant = 5;
  await commit([row("a", { name: "begin_checkout" }, { kind: OrderKind.MENTIONED, converted: null })]);
  expect(await stored()).toEqual({ orders: 0, revenue: 0, rows: 1 });
  await commit([row("a")]);
  expect(await stored()).toEqual({ orders: 1, revenue: 7, rows: 2 });
});

test("an event that is sent twice does not claim its order twice, and the order of a row that is gone is its own again", async () => {
  merchant = 6;
  const first = row("a");
  await commit([first]);
  await commit([{ ...first, ts: first.ts + 1 }, row("b")]);
  expect(await stored()).toEqual({ orders: 2, revenue: 14, rows: 2 });
  // As a replay does that writes an event anew: the claim is by the same event.
  await database.pool.query("DELETE FROM events WHERE event_id = $1", [first.event_id]);
  await database.pool.query("DELETE FROM event_keys WHERE event_id = $1", [first.event_id]);
  await commit([first]);
  expect(await stored()).toEqual({ orders: 2, revenue: 14, rows: 2 });
});

test("any orders in any batches and commits: as many count as there are different ids", async () => {
  merchant = 100;
  const ids = fc.constantFrom("1", "2", "3", "x y", "ü", "1 ");
  const commits = fc.array(
    fc.array(fc.array(ids, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
    {
      maxLength: 4,
    },
  );
  await fc.assert(
    fc.asyncProperty(commits, async (given) => {
      merchant++;
      for (const batches of given) {
        await commit(...batches.map((list) => list.map((id) => row(id, { event_id: randomUUID() }))));
      }
      const different = new Set(given.flat(2)).size;
      expect(await stored()).toEqual({
        orders: different,
        revenue: 7 * different,
        rows: given.flat(2).length,
      });
    }),
    { numRuns: 25 },
  );
});
