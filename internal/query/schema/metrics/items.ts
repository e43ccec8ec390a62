import sql, { raw } from "sql-template-tag";
import type { AdditiveMetric, DistinctMetric, Metric } from "../field.ts";
import { amount, distinct, ratio, sum } from "./build.ts";

const itemsViewed = item("items_viewed", 2, "Items viewed", "Views of items, each by its quantity.");
const itemsAdded = item("items_added", 3, "Items added", "Items put into the cart.");
const itemsBought = sum(
  "items_bought",
  sql`CASE stage WHEN 5 THEN quantity_micros WHEN 6 THEN -quantity_micros END`,
  ["stage", "quantity_micros"],
  undefined,
  {
    title: "Items bought",
    description: "Items of orders less those of refunds.",
    unit: "number",
    scope: "item",
    factor: 1e-6,
  },
  "items",
);
const itemRevenue = amount(
  "item_revenue",
  sql`item_revenue_micros`,
  ["item_revenue_micros"],
  undefined,
  {
    title: "Item revenue",
    description: "Price less discount, by quantity, of items of orders, less that of items of refunds.",
    scope: "item",
  },
  "items",
);
const itemViewers = itemVisitors("item_viewers", 2, "Item viewers", "Visitors who viewed an item.");
const itemAdders = itemVisitors("item_adders", 3, "Item adders", "Visitors who put an item into the cart.");
const itemBuyers = itemVisitors("item_buyers", 5, "Item buyers", "Visitors who ordered an item.");

/** What became of the items of events. */
export const ITEM_METRICS: readonly Metric[] = [
  itemsViewed,
  itemsAdded,
  itemsBought,
  itemRevenue,
  itemViewers,
  itemAdders,
  itemBuyers,
  ratio("cart_to_view_rate", itemAdders, itemViewers, {
    title: "Cart-to-view rate",
    description: "Visitors who put the item into the cart, by visitors who viewed it.",
    scope: "item",
  }),
  ratio("buy_to_view_rate", itemBuyers, itemViewers, {
    title: "Buy-to-view rate",
    description: "Visitors who ordered the item, by visitors who viewed it.",
    scope: "item",
  }),
];

function item(name: string, stageOf: number, title: string, description: string): AdditiveMetric {
  const value = sql`CASE stage WHEN ${raw(String(stageOf))} THEN quantity_micros END`;
  const about = { title, description, scope: "item", factor: 1e-6 } as const;
  return sum(name, value, ["stage", "quantity_micros"], undefined, about, "items");
}

function itemVisitors(name: string, stageOf: number, title: string, description: string): DistinctMetric {
  const where = { columns: ["stage"], sql: () => sql`stage = ${raw(String(stageOf))}` };
  return distinct(name, "visitor_id", where, { title, description, scope: "item" }, "items");
}
