import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  DERIVED_COLUMNS,
  type EventRow,
  eventRow,
  type ItemRow,
  type OrderRow,
} from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { OrderKind } from "./event-columns.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase(4);
});

afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

/** A merchant's events as storage gives them back, by event id. */
async function readBack(merchant: number): Promise<EventRow[]> {
  const events = await query<Record<string, unknown>>(
    `SELECT *, (extract(epoch FROM ts) * 1000)::text AS ts, (extract(epoch FROM received_at) * 1000)::text AS received_at,
       ARRAY(SELECT ARRAY[key, value::text] FROM jsonb_each(properties)) AS entries
     FROM events WHERE merchant_id = $1 ORDER BY event_id`,
    [merchant],
  );
  const items = await query<Record<string, unknown>>(
    `SELECT *, (extract(epoch FROM ts) * 1000)::text AS ts FROM items WHERE merchant_id = $1
     ORDER BY event_id, position`,
    [merchant],
  );
  return events.map((row) => {
    const own = items.filter((item) => item.event_id === row.event_id);
    expect(own.map(({ position, ts }) => [position, ts])).toEqual(own.map((_, at) => [at, row.ts]));
    return toRow(row, own.map(toItem));
  });
}

function toRow(row: Record<string, unknown>, items: ItemRow[]): EventRow {
  const picked = Object.fromEntries(
    Object.entries(row).filter(([name]) => !/^order_|^refund_|_micros$|^entries/.test(name)),
  );
  return {
    ...picked,
    ts: Number(row.ts),
    received_at: Number(row.received_at),
    user_id: row.user_id === null ? null : BigInt(row.user_id as string),
    visitor_id: BigInt(row.visitor_id as string),
    session_id: BigInt(row.session_id as string),
    properties:
      row.properties === null
        ? null
        : Object.fromEntries(
            (row.entries as [string, string][]).map(([key, value]) => [key, JSON.parse(value) as unknown]),
          ),
    order: toOrder(row),
    items,
  } as unknown as EventRow;
}

function toOrder(row: Record<string, unknown>): OrderRow | null {
  const number = (name: string) => (row[name] === null ? null : BigInt(row[name] as string));
  const order = {
    id: row.order_id,
    revenue: number("order_revenue_micros"),
    tax: number("order_tax_micros"),
    shipping: number("order_shipping_micros"),
    discount: number("order_discount_micros"),
    currency: row.order_currency,
    coupon: row.order_coupon,
    refundId: row.refund_id,
    customer: number("order_customer_id"),
    cost: number("order_cost_micros"),
    market: row.order_market,
    paymentMethod: row.order_payment_method,
    taxConverted: number("tax_micros"),
    shippingConverted: number("shipping_micros"),
    discountConverted: number("discount_micros"),
    costConverted: number("cost_micros"),
    kind: row.order_kind,
    converted: number("revenue_micros"),
  };
  return Object.values(order).every((value) => value === null) ? null : (order as OrderRow);
}

function toItem(row: Record<string, unknown>): ItemRow {
  const { item_id, name, brand, category, variant, price_micros, quantity_micros } = row;
  const { list_id, list_position, promotion_id, discount_micros, cost_micros } = row;
  return {
    ...{ item_id, name, brand, category, variant, list_id, list_position, promotion_id },
    discount_micros: BigInt(discount_micros as string),
    cost_micros: cost_micros === null ? null : BigInt(cost_micros as string),
    price_micros: BigInt(price_micros as string),
    quantity_micros: BigInt(quantity_micros as string),
  } as ItemRow;
}

const nullable = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null, freq: 3 });
/** Any text but the empty one, which means absent, and U+0000, which batches cannot hold. */
const text = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1 }),
    fc.constantFrom("\\", '"', "'", "\n", "🛒ü", "\\N", "{}"),
  )
  .map((value) => value.replaceAll("\0", "0"));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const amount = fc.bigInt({ min: 0n, max: 10n ** 18n });
/** Few days, far apart: each day more is a chunk more. */
const time = fc
  .tuple(
    fc.constantFrom(Date.UTC(1926, 0, 5), Date.UTC(2026, 2, 29), Date.UTC(2100, 11, 31)),
    fc.nat(86_399_999),
  )
  .map(([day, ms]) => day + ms);

const propertyValue = fc.oneof(
  text,
  fc.constant(""),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);

const anyRow: fc.Arbitrary<EventRow> = fc.record({
  merchant_id: fc.constant(1),
  ts: time,
  received_at: time,
  event_id: fc.uuid({ version: 4 }),
  visitor_id: int64,
  // 0 means that storage is to find it.
  session_id: int64.filter((id) => id !== 0n),
  processor_version: fc.constant(3),
  name: text,
  url: nullable(text),
  referrer: nullable(text),
  user_agent: nullable(text),
  ip: nullable(text),
  language: nullable(text),
  screen_width: nullable(fc.integer({ min: 1, max: 65_535 })),
  screen_height: nullable(fc.integer({ min: 1, max: 65_535 })),
  user_id: nullable(int64.filter((id) => id !== 0n)),
  stage: fc.nat(4),
  title: nullable(text),
  consent: nullable(fc.integer({ min: 1, max: 2 })),
  active_ms: nullable(fc.integer({ min: 1, max: 86_400_000 })),
  scroll_percent: nullable(fc.integer({ min: 1, max: 100 })),
  sdk: nullable(text),
  is_passive: fc.boolean(),
  cart_id: nullable(text),
  checkout_id: nullable(text),
  is_bot: fc.boolean(),
  time_quality: fc.nat(2),
  in_rollups: fc.boolean(),
  ...(Object.fromEntries(DERIVED_COLUMNS.map((column) => [column, nullable(text)])) as Record<
    (typeof DERIVED_COLUMNS)[number],
    fc.Arbitrary<string | null>
  >),
  properties: nullable(fc.dictionary(text, propertyValue, { minKeys: 1 })),
  order: nullable(
    fc.record({
      id: text,
      revenue: amount,
      tax: amount,
      shipping: amount,
      discount: amount,
      currency: nullable(text),
      coupon: nullable(text),
      refundId: nullable(text),
      customer: nullable(int64.filter((id) => id !== 0n)),
      cost: nullable(amount),
      market: nullable(text),
      paymentMethod: nullable(text),
      taxConverted: nullable(amount),
      shippingConverted: nullable(amount),
      discountConverted: nullable(amount),
      costConverted: nullable(amount),
      kind: fc.constantFrom<number>(OrderKind.ORDER, OrderKind.REFUND),
      converted: nullable(fc.bigInt({ min: 1n - 2n ** 63n, max: 2n ** 63n - 1n })),
    }),
  ),
  items: fc.array(
    fc.record({
      item_id: text,
      name: nullable(text),
      brand: nullable(text),
      category: nullable(text),
      variant: nullable(text),
      price_micros: amount,
      quantity_micros: fc.bigInt({ min: 1n, max: 10n ** 12n }),
      list_id: nullable(text),
      list_position: nullable(fc.integer({ min: 1, max: 1_000_000 })),
      promotion_id: nullable(text),
      discount_micros: amount,
      cost_micros: nullable(amount),
    }),
    { maxLength: 3 },
  ),
});

const NO_PARTS = {
  taxConverted: null,
  shippingConverted: null,
  discountConverted: null,
  costConverted: null,
};

/** An order or a refund whose id an earlier row of the merchant has is a repeat, and adds nothing to revenue. */
function withRepeats(rows: readonly EventRow[]): EventRow[] {
  const seen = new Set<string>();
  return rows.map((row): EventRow => {
    if (row.order === null) return row;
    const { id, refundId, kind } = row.order;
    const isRefund = kind === OrderKind.REFUND;
    // A refund without an id goes by its event's.
    const key = JSON.stringify(isRefund ? [id, refundId, refundId ?? row.event_id] : [id]);
    if (!seen.has(key)) {
      seen.add(key);
      return isRefund ? { ...row, order: { ...row.order, ...NO_PARTS } } : row;
    }
    const repeat = isRefund ? OrderKind.REFUND_REPEAT : OrderKind.REPEAT;
    return { ...row, stage: 0, order: { ...row.order, ...NO_PARTS, kind: repeat, converted: null } };
  });
}

describe("rows of a commit", () => {
  test("every column of every row reads back as it was given", async () => {
    let merchant = 100;
    const check = async (batches: EventRow[][]) => {
      merchant++;
      const own = batches.map((rows) => rows.map((row) => ({ ...row, merchant_id: merchant })));
      await commitNext(
        database.pool,
        own.map((rows) => batchOf(rows)),
      );
      const expected = withRepeats(own.flat()).sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
      expect(await readBack(merchant)).toEqual(expected);
    };
    const batches = fc
      .array(fc.array(anyRow, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 })
      .filter((all) => new Set(all.flat().map(({ event_id }) => event_id)).size === all.flat().length);
    await fc.assert(fc.asyncProperty(batches, check), { numRuns: 15 });
  });

  test("what is absent is NULL, not an empty text, zero or an empty object", async () => {
    await commitNext(database.pool, [batchOf([eventRow({ merchant_id: 2 })])]);
    const [row] = await query<object>("SELECT * FROM events WHERE merchant_id = 2");
    const absent = Object.entries(row!).filter(([, value]) => value === null);
    expect(absent.map(([name]) => name).sort()).toEqual(
      `url referrer referrer_host user_agent ip language screen_width screen_height properties order_id order_revenue_micros
       order_tax_micros order_shipping_micros order_discount_micros order_currency order_coupon revenue_micros
       browser browser_version os os_version device_type country region city channel source medium campaign campaign_id
       campaign_term campaign_content click_id order_kind page host refund_id refund_excess bot_name bot_kind
       bot_operator title user_id active_ms scroll_percent consent sdk cart_id checkout_id order_cost_micros order_market
       order_payment_method order_customer_id tax_micros shipping_micros discount_micros cost_micros`
        .split(/\s+/)
        .sort(),
    );
  });
});
