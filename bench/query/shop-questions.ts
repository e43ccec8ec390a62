import type { Asked } from "./question.ts";

/** How long a span a question is about: the last whole days of the data, local to the merchant. */
export type Reach = "day" | "month" | "year";

const SPANS: Readonly<Record<Reach, Asked["period"]>> = {
  day: dates("2025-12-30", "2025-12-30"),
  month: dates("2025-12-01", "2025-12-30"),
  year: dates("2025-01-02", "2025-12-30"),
};

const TRAFFIC = ["page_views", "visitors", "sessions"];
const VISITS = ["visitors", "page_views"];
const SALES = ["revenue", "orders"];

/** The ten usual questions of a month: its last day by hour, the month by day, and what is first in it. */
export const MONTH: readonly Asked[] = [
  series("day", "hour", TRAFFIC),
  series("month", "day", TRAFFIC),
  series("month", "day", SALES),
  ...tops("month"),
];

/** Likewise of a year, its weeks and months. */
export const YEAR: readonly Asked[] = [
  series("year", "week", TRAFFIC),
  series("year", "month", TRAFFIC),
  series("year", "month", SALES),
  ...tops("year"),
];

/** The same of events from phones alone. */
export function filtered(questions: readonly Asked[]): Asked[] {
  const filter = { dimension: "device_type", value: "mobile" };
  return questions.map((asked) => ({ ...asked, name: `${asked.name}, phones`, filter }));
}

/** What a dashboard asks when it is opened: totals of the month, the month by day, and its lists. */
export const DASHBOARD: readonly Asked[] = [
  {
    name: "totals of the month",
    metrics: ["visitors", "sessions", "page_views", "orders", "revenue"],
    period: SPANS.month,
  },
  ...MONTH,
];

function dates(startDate: string, endDate: string): Asked["period"] {
  return { case: "dates", value: { startDate, endDate } };
}

function series(
  reach: Reach,
  granularity: NonNullable<Asked["granularity"]>,
  metrics: readonly string[],
): Asked {
  const name = `${metrics.join(", ")} by ${granularity}`;
  return { name, metrics, dimension: "time", granularity, period: SPANS[reach] };
}

function tops(reach: Reach): Asked[] {
  const top = (dimension: string, metrics: readonly string[]): Asked => {
    return { name: `top ${dimension}`, metrics, dimension, period: SPANS[reach] };
  };
  return [
    top("page", ["page_views", "visitors"]),
    top("entry_page", ["sessions", "visitors"]),
    top("source", VISITS),
    top("country", VISITS),
    top("device_type", VISITS),
    top("event_name", ["events", "visitors"]),
    top("item_name", ["item_revenue", "items_bought"]),
  ];
}
