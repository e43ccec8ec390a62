import { expect, test } from "vitest";
import { type TestEvent, testBatch } from "../../../test/kit/batches.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { UNKNOWN_MICROS } from "../../store/event-columns.ts";
import { process } from "./process.ts";
import type { Derived } from "./step.ts";

/** One euro is 1.25 dollars or 160 yens; the merchant's currency is the euro. */
const PER_EURO: Readonly<Record<string, number>> = { EUR: 1, USD: 1.25, JPY: 160 };
const CONTEXT = testContext({
  currencies: new Map([[1, "EUR"]]),
  rate: (currency) => PER_EURO[currency],
});

function derive(...events: Partial<TestEvent>[]): Derived {
  const all = events.map((fields) => ({ merchantId: 1, time: Date.UTC(2026, 2, 29, 12), ...fields }));
  const { sealed, batch } = open(testBatch(all, { partition: 0 }).bytes);
  return process(new BatchView(sealed!.batchId, batch!), CONTEXT);
}

const order = { id: "o", revenueMicros: 1_000_000n };
const item = { id: "i", priceMicros: 1_000_000n };

// The names of Google's and Segment's specifications of ecommerce events, and the numbers of the column `stage`.
test.each([
  ["page_view", {}, 0],
  ["view_item_list", {}, 1],
  ["Product List Viewed", {}, 1],
  ["view_item", {}, 2],
  ["Product Viewed", {}, 2],
  ["add_to_cart", {}, 3],
  ["Product Added", {}, 3],
  ["remove_from_cart", {}, 0],
  ["begin_checkout", {}, 4],
  ["Checkout Started", {}, 4],
  ["begin_checkout", { order }, 4],
  ["purchase", {}, 0],
  ["purchase", { order }, 5],
  ["Order Completed", { order }, 5],
  ["refund", { order }, 6],
  ["anything", { order, refund: { amountMicros: 1n } }, 6],
])("%s with %o is stage %i", (name, fields, stage) => {
  expect([...derive({ name, ...fields }).stages]).toEqual([stage]);
});

test("the stages of a batch stand with their rows", () => {
  const names = ["view_item", "page_view", "purchase", "view_item", "refund"];
  const events = names.map((name) => ({ name, ...(/purchase|refund/.test(name) && { order }) }));
  expect([...derive(...events).stages]).toEqual([2, 0, 5, 2, 6]);
});

test("an item's revenue is its price less discount, by quantity, converted; of orders and refunds alone", () => {
  const items = [
    { ...item, priceMicros: 7_990_000n, quantityMicros: 3_000_000n },
    { ...item, priceMicros: 7_990_000n, discountMicros: 990_000n, quantityMicros: 2_000_000n },
    // Half a micro, which rounds up; and a discount above the price, which gives nothing back.
    { ...item, priceMicros: 1n, quantityMicros: 500_000n },
    { ...item, priceMicros: 5n, discountMicros: 6n, quantityMicros: 1_000_000n },
  ];
  const derived = derive(
    { name: "view_item", items },
    { name: "purchase", order, items },
    { name: "add_to_cart", order, items },
    { name: "purchase", order: { ...order, currency: "USD" }, items },
    { name: "refund", order: { ...order, currency: "USD" }, items },
    { name: "purchase", order: { ...order, currency: "CHF" }, items: items.slice(0, 1) },
  );
  const none = items.map(() => UNKNOWN_MICROS);
  expect([...derived.itemRevenue]).toEqual([
    ...none,
    ...[23_970_000n, 14_000_000n, 1n, 0n],
    ...none,
    // 23.97 / 1.25, 14 / 1.25, and 0.8 of a micro.
    ...[19_176_000n, 11_200_000n, 1n, 0n],
    ...[-19_176_000n, -11_200_000n, -1n, 0n],
    UNKNOWN_MICROS,
  ]);
});

test("an order's tax, shipping, discount and cost are converted; a cost that is not told is not known", () => {
  const parts = { taxMicros: 8_000n, shippingMicros: 1_600n, discountMicros: 160n };
  const derived = derive(
    { name: "purchase", order: { ...order, ...parts, costMicros: 16_000n } },
    { name: "purchase", order: { ...order, ...parts, costMicros: 16_000n, currency: "JPY" } },
    { name: "purchase", order: { ...order, currency: "USD", costMicros: 0n } },
    { name: "purchase", order: { ...order, ...parts, currency: "CHF" } },
    { name: "begin_checkout", order: { ...order, ...parts } },
    { name: "refund", order: { ...order, ...parts } },
  );
  const x = UNKNOWN_MICROS;
  const columns = (part: keyof Derived["convertedParts"]) => [...derived.convertedParts[part]];
  expect(columns("tax")).toEqual([8_000n, 50n, 0n, x, x, x]);
  expect(columns("shipping")).toEqual([1_600n, 10n, 0n, x, x, x]);
  expect(columns("discount")).toEqual([160n, 1n, 0n, x, x, x]);
  expect(columns("cost")).toEqual([16_000n, 100n, 0n, x, x, x]);
});
