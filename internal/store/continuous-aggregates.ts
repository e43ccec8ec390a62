/** Refreshed soon after every commit, each after those that it is built on. */
export const QUARTER_HOUR_AGGREGATES: readonly string[] = ["totals_15m", "sessions_15m"];

/**
 * Of whole UTC days, of rows with in_rollups alone, and refreshed only when a day is over: while it goes on, each
 * refresh would work all of it over. Each after those that it is built on, which may be of quarter hours.
 */
export const DAY_AGGREGATES: readonly string[] = [];

/** Of UTC months, of rows with in_rollups alone, and refreshed only when a month is over. */
export const MONTH_AGGREGATES: readonly string[] = ["visitor_registers_1mo", "session_registers_1mo"];

/** All of them, each after those that it is built on. */
export const CONTINUOUS_AGGREGATES: readonly string[] = [
  ...QUARTER_HOUR_AGGREGATES,
  ...DAY_AGGREGATES,
  ...MONTH_AGGREGATES,
];
