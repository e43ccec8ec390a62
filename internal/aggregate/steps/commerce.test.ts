import { describe, expect, test } from "vitest";
import { type TestEvent, testBatch } from "../../../test/kit/batches.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { UNKNOWN_MICROS } from "../../store/event-columns.ts";
import { process } from "./process.ts";

const NOON = Date.UTC(2026, 2, 29, 12);
const DAY = 20_541;
const [MENTIONED, ORDER, REFUND] = [0, 1, 3];

const RATES: Readonly<Record<string, number>> = {
  [`USD ${DAY}`]: 1.25,
  [`JPY ${DAY}`]: 160,
  [`USD ${DAY - 1}`]: 2,
};
const CONTEXT = testContext({
  currencies: new Map([
    [1, "EUR"],
    [2, "JPY"],
  ]),
  rate: (currency, day) => (currency === "EUR" ? 1 : RATES[`${currency} ${day}`]),
});

/** Kind of each order, and what it adds to revenue. */
function derive(events: readonly Partial<TestEvent>[]): [number, bigint][] {
  const all = events.map((fields) => ({
    merchantId: 1,
    time: NOON,
    visitorId: "v",
    name: "purchase",
    ...fields,
  }));
  const { sealed, batch } = open(testBatch(all, { partition: 0 }).bytes);
  const { orderKinds, convertedRevenue } = process(new BatchView(sealed!.batchId, batch!), CONTEXT);
  return [...orderKinds].map((kind, at) => [kind, convertedRevenue[at]!]);
}

const order = (revenueMicros: bigint, currency = "") => ({ order: { id: "o", revenueMicros, currency } });

describe("revenue", () => {
  test("is taken as it is in the merchant's currency", () => {
    expect(
      derive([order(12_340_000n), {}, order(1n, "EUR"), order(0n), order(999_999_999_999_999_999n)]),
    ).toEqual([
      [ORDER, 12_340_000n],
      [ORDER, 1n],
      [ORDER, 0n],
      [ORDER, 999_999_999_999_999_999n],
    ]);
  });

  test("is converted by the rates of the event's day", () => {
    expect(
      derive([
        order(100_000_000n, "USD"),
        { ...order(100_000_000n, "USD"), time: NOON - 86_400_000 },
        { ...order(1_000_000n, "EUR"), merchantId: 2 },
        { ...order(1_000_000n, "USD"), merchantId: 2 },
        order(1n, "JPY"),
      ]),
    ).toEqual([
      [ORDER, 80_000_000n],
      [ORDER, 50_000_000n],
      [ORDER, 160_000_000n],
      [ORDER, 128_000_000n],
      [ORDER, 0n],
    ]);
  });

  test("is left open without a rate, for an unknown merchant, and beyond 64 bits", () => {
    expect(
      derive([
        order(5n, "CHF"),
        { ...order(5n, "USD"), time: NOON - 40 * 86_400_000 },
        { ...order(5n, "USD"), merchantId: 3 },
        { ...order(1_000_000_000_000_000_000n, "EUR"), merchantId: 2 },
      ]),
    ).toEqual(Array.from({ length: 4 }, () => [ORDER, UNKNOWN_MICROS]));
  });
});

test("a refund takes its amount away, converted like an order's", () => {
  expect(
    derive([
      { ...order(5_000_000n), name: "refund" },
      { ...order(100n, "USD"), name: "refund" },
      { ...order(0n), name: "refund" },
    ]),
  ).toEqual([
    [REFUND, -5_000_000n],
    [REFUND, -80n],
    [REFUND, 0n],
  ]);
});

test.each(["add_to_cart", "begin_checkout", "add_payment_info", "view_item"])(
  "%s only mentions its order",
  (name) => {
    expect(derive([{ ...order(5n), name }])).toEqual([[MENTIONED, UNKNOWN_MICROS]]);
  },
);

test("an event of a name of the merchant's own mentions its order, unless it carries a refund", () => {
  const own = { ...order(5n), name: "subscription_renewed" };
  expect(derive([own, { ...own, refund: { amountMicros: 3n } }])).toEqual([
    [MENTIONED, UNKNOWN_MICROS],
    [REFUND, -3n],
  ]);
});

test("names are told whatever their case and separators", () => {
  const named = (name: string) => ({ ...order(5n), name });
  expect(derive(["Order Completed", "checkout_completed", "Purchase", "ecommerceOrder"].map(named))).toEqual(
    Array.from({ length: 4 }, () => [ORDER, 5n]),
  );
  expect(derive(["Refund", "Order Refunded", "REFUND"].map(named))).toEqual(
    Array.from({ length: 3 }, () => [REFUND, -5n]),
  );
  expect(derive(["Begin_Checkout", "InitiateCheckout", "order.updated"].map(named))).toEqual(
    Array.from({ length: 3 }, () => [MENTIONED, UNKNOWN_MICROS]),
  );
});

test("a refund without an order names its own", () => {
  const refund = { id: "r", orderId: "o", amountMicros: 100n, currency: "USD" };
  expect(derive([{ name: "back", refund }])).toEqual([[REFUND, -80n]]);
});
