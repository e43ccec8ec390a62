import type { Unit } from "../metrics/metric.ts";

/** A sum over the items of orders. */
export interface ItemMetric {
  /** One sentence for people, used wherever metrics are listed. */
  readonly description: string;
  readonly unit: Unit;
  /** SQL aggregate over rows of items as store/breakdown/rows_items.sql has them. Null stands for 0. */
  readonly rows: string;
}

/** What is counted of items; only breakdowns by an item's dimension have these, and only these. */
export const ITEM_METRICS = {
  item_quantity: {
    description: "Items that were ordered less those that were refunded, in millionths of one.",
    unit: "micros",
    rows: "sum(quantity_micros)",
  },
  item_revenue: {
    description:
      "Price by quantity of the items that were ordered less those that were refunded, in the merchant's currency.",
    unit: "currency_micros",
    rows: "sum(revenue_micros)",
  },
} as const satisfies Readonly<Record<string, ItemMetric>>;

export type ItemMetricName = keyof typeof ITEM_METRICS;

export const ITEM_METRIC_NAMES = Object.keys(ITEM_METRICS) as ItemMetricName[];

export function isItemMetric(name: string): name is ItemMetricName {
  return Object.hasOwn(ITEM_METRICS, name);
}
