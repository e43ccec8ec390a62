/** Of all rows, refreshed soon after every commit. */
export const TOTALS = "totals_15m";

/** Likewise, each after those that it is built on; all but the totals are of rows with in_rollups alone. */
export const QUARTER_HOUR_AGGREGATES: readonly string[] = [TOTALS, "sessions_15m"];

/**
 * Of whole UTC days, of rows with in_rollups alone, and refreshed only when a day is over: while it goes on, each
 * refresh would work all of it over. Each after those that it is built on, which may be of quarter hours.
 */
export const DAY_AGGREGATES: readonly string[] = [
  "pages_1d",
  "event_names_1d",
  "places_1d",
  "devices_1d",
  "visits_1d",
  "sampled_visits_1d",
];

/** Of spans of whole UTC days, summed up from a daily one; refreshed when such a span is over. Shorter ones first. */
export const SPAN_AGGREGATES: readonly {
  readonly name: string;
  readonly days: number;
  readonly of: string;
}[] = [
  { name: "pages_7d", days: 7, of: "pages_1d" },
  { name: "pages_28d", days: 28, of: "pages_1d" },
];

/** Of UTC months, of rows with in_rollups alone, and refreshed only when a month is over. */
export const MONTH_AGGREGATES: readonly string[] = ["visitor_registers_1mo", "session_registers_1mo"];

/** All of them, each after those that it is built on. */
export const CONTINUOUS_AGGREGATES: readonly string[] = [
  ...QUARTER_HOUR_AGGREGATES,
  ...DAY_AGGREGATES,
  ...MONTH_AGGREGATES,
  ...SPAN_AGGREGATES.map(({ name }) => name),
];
