import type { Metric } from "./metric.ts";

/**
 * Every metric, declared once. The planner, validation and whatever lists metrics read this; to add one, add
 * it here (and to the wire's enum, if it is selectable).
 */
export const METRICS = {
  events: {
    description: "Events of any name.",
    kind: "additive",
    type: "int64",
    unit: "count",
    selectable: true,
    events: "count(*)",
    totals15m: "events",
  },
  page_views: {
    description: "Events named page_view.",
    kind: "additive",
    type: "int64",
    unit: "count",
    selectable: true,
    events: "count(*) FILTER (WHERE name = 'page_view')",
    totals15m: "page_views",
  },
  visitors: {
    description: "Distinct visitors.",
    kind: "distinct",
    type: "int64",
    unit: "count",
    selectable: true,
    key: "visitor_id",
  },
  sessions: {
    description: "Distinct sessions with an event in the bucket.",
    kind: "distinct",
    type: "int64",
    unit: "count",
    selectable: true,
    key: "session_id",
  },
  revenue: {
    description: "Revenue of orders less refunds, in the merchant's currency.",
    kind: "additive",
    type: "int64",
    unit: "currency_micros",
    selectable: true,
    events: "sum(revenue_micros)",
    totals15m: "revenue_micros",
  },
  orders: {
    description: "Orders, each counted once however often its event comes.",
    kind: "additive",
    type: "int64",
    unit: "count",
    selectable: true,
    events: "count(*) FILTER (WHERE order_kind = 1)",
    totals15m: "orders",
  },
  unconverted_orders: {
    description:
      "Orders and refunds whose amount is not in revenue, for want of a rate to the merchant's currency.",
    kind: "additive",
    type: "int64",
    unit: "count",
    selectable: false,
    events: "count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL)",
    totals15m: "unconverted_orders",
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** The name of a declared metric. */
export type MetricName = keyof typeof METRICS;

/** The name of a metric that a report may ask for. */
export type SeriesName = {
  [N in MetricName]: (typeof METRICS)[N]["selectable"] extends true ? N : never;
}[MetricName];

/** Every metric that a report may ask for, in the order of their declaration. */
export const SERIES_NAMES = Object.entries(METRICS)
  .filter(([, metric]) => metric.selectable)
  .map(([name]) => name as SeriesName);

/** The declaration of a metric, by its general type. */
export function metricOf(name: MetricName): Metric {
  return METRICS[name];
}
