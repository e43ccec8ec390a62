import { describe, expect, test } from "vitest";
import { type EventRow, eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { testPool } from "../../../test/kit/database.ts";
import { convertOld } from "../maintenance/columnstore.ts";
import { verifyAggregates } from "../maintenance/verify.ts";
import { refreshGrain } from "../refresh.ts";
import { beginErasure } from "./begin.ts";
import { runErasure } from "./run.ts";
import { ALL, Erasing, isOf, OPTIONS } from "./testing/erasing.ts";
import { DAY, NOON, ORDER, shopEvents, store } from "./testing/shops.ts";

const erasing = new Erasing();

describe("what comes again", () => {
  const at = (fields: Partial<EventRow>) =>
    eventRow({ visitor_id: 4n, ts: NOON, received_at: NOON, ...fields });

  test("is left out, counted and not kept, whatever batch brings it; also after a restart of the writer", async () => {
    const events = shopEvents(100);
    const gone = events.filter(isOf(1, 4n));
    const left = events.filter((row) => !gone.includes(row));
    await store(erasing.pool, events);
    await erasing.erase(1, 4n);
    // Copies in other batches: spooled, redriven, or from the archive. Half had no id, and so have no key.
    const late = gone.map((row) => eventRow({ ...row, event_id: crypto.randomUUID() }));
    const expected = { stored: 0, duplicates: 0, deadLettered: 0, erased: gone.length };
    for (const copies of [gone, late]) {
      expect(await commitNext(erasing.pool, [batchOf(copies)])).toMatchObject(expected);
    }
    const mixed = batchOf([...late, ...left]);
    expect(await commitNext(erasing.pool, [mixed])).toMatchObject({
      ...expected,
      duplicates: left.length,
    });
    expect(await commitNext(erasing.pool, [mixed])).toMatchObject({ repeatedBatches: 1, erased: 0 });
    const lines = await erasing.query("SELECT erased FROM batch_ledger WHERE erased > 0");
    expect(lines).toEqual([gone, late, mixed].map(() => ({ erased: gone.length })));
    const restarted = testPool(erasing.url);
    const after = await commitNext(restarted, [batchOf(late)]).finally(() => restarted.end());
    expect(after).toMatchObject(expected);
    await refreshGrain(erasing.pool, "15m");
    await erasing.expectExactly(left);
    expect(
      await erasing.query("SELECT FROM event_keys WHERE event_id = ANY ($1)", [
        late.map((row) => row.event_id),
      ]),
    ).toEqual([]);
  });

  test("of a merchant too, however late it happened and came", async () => {
    await store(erasing.pool, [at({})]);
    await erasing.erase(1);
    const later = Date.now() + DAY;
    const committed = await commitNext(erasing.pool, [batchOf([at({ ts: later, received_at: later })])]);
    expect(committed).toMatchObject({ stored: 0, erased: 1 });
  });

  test("a visitor who comes back after the erasure counts again; what happened before it does not", async () => {
    await store(erasing.pool, [at({ event_id: "00000000-0000-4000-8000-000000000001" })]);
    await erasing.erase(1, 4n);
    const now = Date.now() + 1_000;
    const back = [
      at({ ts: now, received_at: now, url: "back" }),
      // From before the erasure, sent by a device that was offline; and of another visitor, of another merchant.
      at({ received_at: now, url: "offline" }),
      at({ visitor_id: 5n, url: "visitor" }),
      at({ merchant_id: 2, url: "merchant" }),
    ];
    expect(await commitNext(erasing.pool, [batchOf(back)])).toMatchObject({ stored: 3, erased: 1 });
    const stored = await erasing.query<{ url: string }>("SELECT url FROM events ORDER BY 1");
    expect(stored.map(({ url }) => url)).toEqual(["back", "merchant", "visitor"]);
    // And can be erased again.
    expect((await erasing.erase(1, 4n)).removed).toEqual({ events: 1, visitors: 1 });
  });

  test("rows that a collector with a clock ahead has received go too, and do not come again", async () => {
    const ahead = Date.now() + DAY;
    const row = at({ ts: ahead, received_at: ahead });
    await store(erasing.pool, [row]);
    const receipt = await erasing.erase(1, 4n);
    expect(receipt.removed).toEqual({ events: 1, visitors: 1 });
    expect(receipt.erasedThrough).toEqual(new Date(ahead));
    const copy = eventRow({ ...row, event_id: crypto.randomUUID() });
    expect(await commitNext(erasing.pool, [batchOf([copy])])).toMatchObject({ stored: 0, erased: 1 });
  });
});

test("a session that goes on after the erasure begins with the first event that is left", async () => {
  const erasure = await (async () => {
    const now = Date.now();
    const row = (minutes: number) =>
      eventRow({
        visitor_id: 4n,
        session_id: 0n,
        ts: now + minutes * 60_000,
        received_at: now + minutes * 60_000,
      });
    await store(erasing.pool, [row(-20), row(-10)]);
    const begun = await beginErasure(
      erasing.pool,
      { merchantId: 1, person: { kind: "visitor", hash: 4n } },
      0,
    );
    await store(erasing.pool, [row(5), row(9)]);
    await runErasure(erasing.pool, begun, OPTIONS);
    await store(erasing.pool, [row(20)]);
    return { begun, now };
  })();
  const sessions = await erasing.query<{ started_at: Date; ended_at: Date; session_id: string }>(
    "TABLE visitor_sessions",
  );
  expect(sessions).toHaveLength(1);
  expect(sessions[0]).toMatchObject({
    started_at: new Date(erasure.now + 5 * 60_000),
    ended_at: new Date(erasure.now + 20 * 60_000),
  });
  const ids = await erasing.query<{ session_id: string }>("SELECT DISTINCT session_id FROM events");
  expect(ids).toEqual([{ session_id: sessions[0]!.session_id }]);
});

test("an order that another visitor's event brought as well counts for that one, converted", async () => {
  await erasing.query("INSERT INTO currency_rates VALUES ('USD', '2026-03-20', 1.25) ON CONFLICT DO NOTHING");
  const order = (id: string, fields: Partial<EventRow>, currency = "EUR") =>
    eventRow({
      name: "purchase",
      order: { ...ORDER, id, revenue: 5_000_000, converted: 5_000_000, currency },
      ts: NOON,
      received_at: NOON,
      ...fields,
    });
  const again = { visitor_id: 5n, ts: NOON + 3_600_000, received_at: NOON + 3_600_000 };
  await store(erasing.pool, [
    order("both", { visitor_id: 4n }),
    order("both", again),
    order("both", { ...again, received_at: NOON + DAY }),
    order("dollars", { visitor_id: 4n }),
    order("dollars", again, "USD"),
    order("yens", { visitor_id: 4n }),
    order("yens", again, "JPY"),
    order("own", { visitor_id: 4n }),
    order("other", again),
  ]);
  await convertOld(erasing.pool, NOON + 9 * DAY);
  await erasing.erase(1, 4n);
  const kinds = await erasing.query(
    `SELECT order_id AS id, order_kind AS kind, revenue_micros::integer AS revenue FROM events ORDER BY 1, 2, received_at`,
  );
  expect(kinds).toEqual([
    { id: "both", kind: 1, revenue: 5_000_000 },
    { id: "both", kind: 2, revenue: null },
    { id: "dollars", kind: 1, revenue: 4_000_000 },
    { id: "other", kind: 1, revenue: 5_000_000 },
    { id: "yens", kind: 1, revenue: null },
  ]);
  const claimed = await erasing.query<{ order_id: string }>("SELECT order_id FROM order_keys ORDER BY 1");
  expect(claimed.map(({ order_id }) => order_id)).toEqual(["both", "dollars", "other", "yens"]);
  const cells = await erasing.query(
    "SELECT orders::integer, unconverted_orders::integer AS un, revenue_micros::integer AS revenue FROM totals_15m",
  );
  expect(cells).toEqual([{ orders: 4, un: 1, revenue: 14_000_000 }]);
  expect(await verifyAggregates(erasing.pool, ALL)).toEqual([]);
});

test("an order that is passed on has its stage, its parts and its items' revenue in the merchant's currency", async () => {
  await erasing.query("INSERT INTO currency_rates VALUES ('USD', '2026-03-20', 1.25) ON CONFLICT DO NOTHING");
  const item = { name: null, brand: null, category: null, variant: null };
  const purchase = (visitor: bigint, hours: number) =>
    eventRow({
      name: "purchase",
      visitor_id: visitor,
      ts: NOON + hours * 3_600_000,
      received_at: NOON + hours * 3_600_000,
      order: {
        id: "both",
        revenue: 50_000_000,
        converted: 40_000_000,
        currency: "USD",
        tax: 5_000_000,
        shipping: 2_500_000,
        discount: 1_000_000,
        cost: 10_000_000,
        coupon: null,
      },
      items: [
        // 3 pieces at 7 less 2 dollars; half a piece of a cent's hundredth part, which rounds up.
        {
          ...item,
          item_id: "a",
          price_micros: 7_000_000,
          discount_micros: 2_000_000n,
          quantity_micros: 3_000_000,
        },
        { ...item, item_id: "b", price_micros: 5, quantity_micros: 500_000 },
      ],
    });
  await store(erasing.pool, [purchase(4n, 0), purchase(5n, 1)]);
  const stages = () =>
    erasing.query("SELECT stage, revenue_micros::integer AS revenue FROM items ORDER BY ts, position");
  expect((await stages()).slice(2)).toEqual([
    { stage: 0, revenue: null },
    { stage: 0, revenue: null },
  ]);
  await erasing.erase(1, 4n);
  expect(await stages()).toEqual([
    { stage: 5, revenue: 12_000_000 },
    { stage: 5, revenue: 2 },
  ]);
  expect(
    await erasing.query(`SELECT stage, order_kind AS kind, revenue_micros::integer AS revenue, tax_micros::integer AS tax,
      shipping_micros::integer AS shipping, discount_micros::integer AS discount, cost_micros::integer AS cost FROM events`),
  ).toEqual([
    {
      stage: 5,
      kind: 1,
      revenue: 40_000_000,
      tax: 4_000_000,
      shipping: 2_000_000,
      discount: 800_000,
      cost: 8_000_000,
    },
  ]);
  expect(await verifyAggregates(erasing.pool, ALL)).toEqual([]);
});

test("a refund that an erased event had claimed counts for the event that told it again", async () => {
  const order = (kind: number, sign: number, id: string, fields: Partial<EventRow>, told: object = {}) =>
    eventRow({
      ts: NOON,
      received_at: NOON,
      order: { ...ORDER, id, revenue: 5, converted: sign * 5, kind, isForeign: false, ...told },
      ...fields,
    });
  const refund = (id: string, fields: Partial<EventRow>, told: object = {}) => order(3, -1, id, fields, told);
  const gone = { visitor_id: 4n };
  const left = { visitor_id: 5n };
  const bare = { hasDerivedId: true };
  await store(erasing.pool, [
    order(1, 1, "a", left),
    refund("a", gone, { refundId: "r" }),
    refund("a", left, { refundId: "r" }),
    // The merchant's currency, named and not.
    refund("b", { ...gone, ...bare }, { currency: null }),
    refund("b", { ...left, ...bare }),
    refund("c", gone, { refundId: "r" }),
    refund("d", left, { refundId: "r" }),
  ]);
  await erasing.erase(1, 4n);
  const kinds = await erasing.query(
    "SELECT order_id AS id, order_kind AS kind, revenue_micros::integer AS revenue FROM events ORDER BY 1, 2",
  );
  expect(kinds).toEqual([
    { id: "a", kind: 1, revenue: 5 },
    { id: "a", kind: 3, revenue: -5 },
    { id: "b", kind: 3, revenue: -5 },
    { id: "d", kind: 3, revenue: -5 },
  ]);
  const claimed = await erasing.query(
    "SELECT order_id AS id, refund_key AS key, amount_micros::integer AS amount, currency FROM refund_keys ORDER BY 1",
  );
  expect(claimed).toEqual([
    { id: "a", key: "id r", amount: 5, currency: null },
    { id: "b", key: "amount 5 ", amount: 5, currency: null },
    { id: "d", key: "id r", amount: 5, currency: null },
  ]);
  expect(await verifyAggregates(erasing.pool, ALL)).toEqual([]);
});
