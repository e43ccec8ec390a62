import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EventRow, eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { MAX_AMOUNT_MICROS, MAX_QUANTITY_MICROS } from "../event-schema/fields.ts";
import { OrderKind } from "../store/event-columns.ts";
import { addGoal } from "../store/goals.ts";
import { refreshAll } from "../store/refresh.ts";
import { fitInt64 } from "./fit.ts";
import { getBreakdown } from "./get-breakdown.ts";
import { getReport } from "./get-report.ts";
import { getGoalReport } from "./goals/get-goal-report.ts";
import { insertMerchants } from "./testing/merchants.ts";

/** Two whole weeks of the longer aggregates, long over; a Thursday. */
const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const DAYS = 28;
const RUNS = 6;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
  const ids = Array.from({ length: RUNS }, (_, at) => at + 1);
  await insertMerchants(database.pool, ids, new Map(ids.map((id) => [id, START])));
});
afterAll(() => database?.close());

interface Sale {
  readonly day: number;
  readonly amount: bigint;
  readonly isRefund: boolean;
  readonly price: bigint;
  readonly quantity: bigint;
}

const rowOf = (
  merchantId: number,
  { day, amount, isRefund, price, quantity }: Sale,
  at: number,
): EventRow => ({
  ...eventRow({ merchant_id: merchantId, ts: START + day * DAY, visitor_id: BigInt(at) }),
  ...{ name: isRefund ? "refund" : "purchase", in_rollups: true, page: "/p" },
  order: {
    ...{ id: `o${at}`, revenue: amount, tax: 0, shipping: 0, discount: 0, currency: null, coupon: null },
    ...{ kind: isRefund ? OrderKind.REFUND : OrderKind.ORDER, converted: isRefund ? -amount : amount },
  },
  items: [
    {
      item_id: "i",
      name: null,
      brand: null,
      category: null,
      variant: null,
      price_micros: price,
      quantity_micros: quantity,
    },
  ],
});

/** By hand: a price by a quantity, rounded to the micro, halves away from zero. */
const worth = ({ price, quantity }: Sale) => (price * quantity + 500_000n) / 1_000_000n;

const sum = (sales: readonly Sale[], of: (sale: Sale) => bigint) =>
  sales.reduce((total, sale) => total + (sale.isRefund ? -of(sale) : of(sale)), 0n);

test("sums are those of whole numbers without bounds, from rows and from every aggregate", async () => {
  const { pool } = database;
  const deps = { pool, partitions: 1, statementTimeoutMs: 60_000 };
  const range = { kind: "dates", start: "2026-01-01", end: "2026-01-28" } as const;
  const compare = async (merchantId: number, sales: readonly Sale[]) => {
    const merchant = { merchantId, timeZone: "UTC", currency: "EUR", rollupsReadyFrom: START };
    const report = await getReport(deps, merchant, { range, metrics: ["revenue"] });
    const byDay = Array.from({ length: DAYS }, (_, day) =>
      sum(
        sales.filter((sale) => sale.day === day),
        ({ amount }) => amount,
      ),
    );
    expect(report.series[0]).toMatchObject({ values: byDay, total: sum(sales, ({ amount }) => amount) });
    for (const metrics of [["revenue"], ["revenue", "visitors"]] as const) {
      for (const dimension of ["page", "entry_page", "country", "source"] as const) {
        const { series } = await getBreakdown(deps, merchant, { range, dimension, metrics });
        expect(series[0]!.total).toBe(report.series[0]!.total);
      }
    }
    const items = await getBreakdown(deps, merchant, { range, dimension: "item_id" });
    expect(items.series.map(({ total }) => total)).toEqual([
      sum(sales, ({ quantity }) => quantity),
      sum(sales, worth),
    ]);
    const goals = await getGoalReport(deps, merchant, { range });
    expect(goals.results.map(({ valueMicros }) => valueMicros.total)).toEqual([
      report.series[0]!.total,
      BigInt(sales.length) * MAX_AMOUNT_MICROS,
    ]);
  };
  const amount = fc.oneof(fc.bigInt(0n, MAX_AMOUNT_MICROS), fc.constant(MAX_AMOUNT_MICROS));
  const sale = fc.record({
    day: fc.nat(DAYS - 1),
    amount,
    isRefund: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
    price: amount,
    quantity: fc.oneof(fc.bigInt(1n, MAX_QUANTITY_MICROS), fc.constant(MAX_QUANTITY_MICROS)),
  });
  let merchantId = 0;
  const check = async (sales: readonly Sale[]) => {
    merchantId++;
    const goal = { pagePattern: undefined, eventName: undefined, valueMicros: undefined };
    await addGoal(pool, merchantId, { ...goal, name: "revenue", pagePattern: "/p" });
    await addGoal(pool, merchantId, {
      ...goal,
      name: "each",
      pagePattern: "/p",
      valueMicros: MAX_AMOUNT_MICROS,
    });
    await commitNext(pool, [batchOf(sales.map((each, at) => rowOf(merchantId, each, at)))]);
    await compare(merchantId, sales);
    await refreshAll(pool);
    await compare(merchantId, sales);
  };
  await fc.assert(fc.asyncProperty(fc.array(sale, { minLength: 1, maxLength: 60 }), check), {
    numRuns: RUNS,
    endOnFailure: true,
  });
}, 240_000);

test("what does not fit into 64 bits is cut to the nearest number that does, and said", () => {
  const [most, least] = [9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n];
  expect(fitInt64({ values: [1n, most], total: least })).toEqual({
    ...{ values: [1n, most], total: least },
    outOfRange: false,
  });
  expect(fitInt64({ values: [1n, most + 1n, least - 5n], total: 3n })).toEqual({
    ...{ values: [1n, most, least], total: 3n },
    outOfRange: true,
  });
});
