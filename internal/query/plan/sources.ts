import type { UnitName } from "./cover.ts";

/**
 * Aggregates of events: one family has the same columns in tables of different units. The rows themselves are the source
 * that answers everything.
 */
export interface Source {
  readonly name: string;
  /** Whether it has all merchants; else those with rollups alone. */
  readonly everyone: boolean;
  readonly tables: Readonly<Partial<Record<UnitName, string>>>;
  /** What events are told apart by in it, `time` apart. */
  readonly columns: ReadonlySet<string>;
  /** Sums. */
  readonly cells: ReadonlySet<string>;
  /** What it takes to read a day of it, of a large merchant, where its rows take 1. */
  readonly cost: number;
}

/** In every aggregate, but for those of sessions in quarter hours. */
const SUMS = [
  ...["events", "page_views", "view_items", "add_to_carts", "checkouts"],
  ...["orders", "refunds", "unconverted_orders", "revenue_micros", "gross_micros", "refund_micros"],
  ...["tax_micros", "shipping_micros", "discount_micros", "active_ms", "scroll_sum", "scroll_reports"],
] as const;

/** Every source but the rows: the migration `aggregates` makes them. */
export const SOURCES: readonly Source[] = [
  source("totals", { quarter_hour: "totals_15m" }, [], SUMS, 0.002, true),
  source("places", { day: "places_1d" }, ["country", "region", "city"], SUMS, 0.02),
  source("devices", { day: "devices_1d" }, ["browser", "os", "device_type", "language"], SUMS, 0.02),
  source("names", { day: "event_names_1d" }, ["name", "host"], SUMS, 0.02),
  source("pages", { day: "pages_1d", week: "pages_7d", four_weeks: "pages_28d" }, ["page"], SUMS, 0.1),
  source("presence", { quarter_hour: "sessions_15m" }, ["visitor_id", "session_id"], ["events"], 0.25),
  source(
    "visits",
    { day: "visits_1d" },
    [
      ...["visitor_id", "session_id", "referrer_host", "country", "region", "city"],
      ...["browser", "browser_version", "os", "os_version", "device_type"],
      ...["screen_width", "screen_height", "language", "bot_name", "bot_kind"],
    ],
    SUMS,
    0.3,
  ),
];

/** The samples of visitors (plan/sample.ts), where counts are estimated. */
export const SAMPLE: Source = source(
  "sample",
  { day: "sampled_visits_1d" },
  [
    ...["visitor_id", "session_id", "name", "page", "host", "country", "region", "city"],
    ...["browser", "os", "device_type", "language"],
  ],
  ["events"],
  0.05,
);

function source(
  name: string,
  tables: Source["tables"],
  columns: readonly string[],
  cells: readonly string[],
  cost: number,
  everyone = false,
): Source {
  return { name, tables, columns: new Set(columns), cells: new Set(cells), cost, everyone };
}
