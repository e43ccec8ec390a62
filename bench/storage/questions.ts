import type { DimensionName } from "../../internal/report/dimensions/registry.ts";
import { getBreakdown } from "../../internal/report/get-breakdown.ts";
import { type GetReportDeps, getReport, type Merchant } from "../../internal/report/get-report.ts";
import type { SeriesName } from "../../internal/report/metrics/registry.ts";
import type { Granularity } from "../../internal/report/time/edges.ts";
import type { Pool } from "../../internal/store/pool.ts";

/** Numbers by bucket (its start, ms) or by value, one for each metric. */
export type Answer = ReadonlyMap<string, readonly number[]>;

/** How long a span a question is about. */
export type Reach = "day" | "month" | "year";

/** A question of the dashboard, asked twice: of the product, and of the raw rows in plain SQL. */
export interface Question {
  readonly name: string;
  readonly reach: Reach;
  readonly metrics: readonly SeriesName[];
  ask(deps: GetReportDeps, merchant: Merchant): Promise<Answer>;
  /** What an analyst would write, nothing prepared for it. */
  askRows(pool: Pool, merchant: Merchant): Promise<Answer>;
}

/** The last whole days of the data, local to the merchant. */
const SPANS = {
  day: { start: "2025-12-30", end: "2025-12-30" },
  month: { start: "2025-12-01", end: "2025-12-30" },
  year: { start: "2025-01-02", end: "2025-12-30" },
} as const satisfies Record<Reach, { start: string; end: string }>;

/** Each metric over rows of `events`. */
const SQL = {
  events: "count(*)",
  page_views: "count(*) FILTER (WHERE name = 'page_view')",
  visitors: "count(DISTINCT visitor_id)",
  sessions: "count(DISTINCT session_id)",
  revenue: "coalesce(sum(revenue_micros), 0)",
  orders: "count(*) FILTER (WHERE order_kind = 1)",
} as const satisfies Partial<Record<SeriesName, string>>;
type Metric = keyof typeof SQL;

const LIMIT = 10;

function series(reach: Reach, granularity: Granularity, metrics: readonly Metric[]): Question {
  const range = { kind: "dates" as const, ...SPANS[reach] };
  return {
    name: `${metrics.join(", ")} by ${granularity}`,
    reach,
    metrics,
    async ask(deps, merchant) {
      const report = await getReport(deps, merchant, { range, granularity, metrics });
      const entries = report.edges
        .slice(0, -1)
        .map((edge, at) => [String(edge), report.series.map(({ values }) => Number(values[at]))] as const);
      // Plain SQL has no rows where nothing happened.
      return new Map(entries.filter(([, values]) => values.some((value) => value !== 0)));
    },
    askRows: (pool, merchant) =>
      rowsOf(pool, merchant, reach, metrics, {
        // The first month begins with the span.
        value: `(extract(epoch FROM greatest(date_trunc('${granularity}', ts, $4),
          $2::date::timestamp AT TIME ZONE $4)) * 1000)::bigint::text`,
        tail: "",
      }),
  };
}

function top(dimension: DimensionName, reach: Reach, metrics: readonly Metric[], value: string): Question {
  const range = { kind: "dates" as const, ...SPANS[reach] };
  return {
    name: `top ${dimension}`,
    reach,
    metrics,
    async ask(deps, merchant) {
      const found = await getBreakdown(deps, merchant, { range, dimension, metrics, limit: LIMIT });
      return new Map(
        found.values.map((each, at) => [each, found.series.map(({ values }) => Number(values[at]))]),
      );
    },
    askRows: (pool, merchant) =>
      rowsOf(pool, merchant, reach, metrics, { value, tail: `ORDER BY 2 DESC, 1 LIMIT ${LIMIT}` }),
  };
}

async function rowsOf(
  pool: Pool,
  { merchantId, timeZone }: Merchant,
  reach: Reach,
  metrics: readonly Metric[],
  { value, tail }: { value: string; tail: string },
): Promise<Answer> {
  const { start, end } = SPANS[reach];
  const { rows } = await pool.query<(string | null)[]>({
    text: `SELECT ${value}, ${metrics.map((metric) => SQL[metric]).join(", ")} FROM events
      WHERE merchant_id = $1 AND ts >= $2::date::timestamp AT TIME ZONE $4
        AND ts < ($3::date + 1)::timestamp AT TIME ZONE $4 AND NOT is_bot
      GROUP BY 1 ${tail}`,
    values: [merchantId, start, end, timeZone],
    rowMode: "array",
  });
  // Series without anything in a bucket but other events are left out, as above.
  const entries = rows.map(([key, ...values]) => [key ?? "", values.map(Number)] as const);
  return new Map(entries.filter(([, values]) => values.some((each) => each !== 0)));
}

const PATH = "coalesce(nullif(regexp_replace(url, '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'), ''), '/')";
const TRAFFIC = ["page_views", "visitors", "sessions"] as const;
const VISITS = ["visitors", "page_views"] as const;

/** What a dashboard shows of a span: how it went, and who, whence and what. */
const breakdowns = (reach: Reach): Question[] => [
  top("page", reach, ["page_views", "visitors"], `CASE WHEN url IS NULL THEN NULL ELSE ${PATH} END`),
  top("source", reach, VISITS, "source"),
  top("channel", reach, VISITS, "channel"),
  top("country", reach, VISITS, "country"),
  top("device_type", reach, VISITS, "device_type"),
  top("event_name", reach, ["events", "visitors"], "name"),
];

/** The ten usual questions: all ten of the last month, those that are asked of a year of the last year too. */
export const QUESTIONS: readonly Question[] = [
  series("day", "hour", TRAFFIC),
  series("month", "day", TRAFFIC),
  series("month", "day", ["revenue", "orders"]),
  ...breakdowns("month"),
  series("year", "month", TRAFFIC),
  series("year", "month", ["revenue", "orders"]),
  ...breakdowns("year"),
];

const DISTINCT: readonly SeriesName[] = ["visitors", "sessions"];

/** Distinct counts may be estimates; further off than this is wrong. */
const MOST_ERROR = 0.05;

/**
 * The largest relative error of the distinct counts of an answer.
 * @throws Error when anything else differs, or a distinct count by more than an estimate may.
 */
export function errorOf({ name, metrics }: Question, answer: Answer, expected: Answer): number {
  const wrong = (key: string) =>
    new Error(
      `${name}: ${JSON.stringify(key)}: answered ${answer.get(key)}, the rows say ${expected.get(key)}`,
    );
  let largest = 0;
  for (const [key, values] of expected) {
    const found = answer.get(key);
    // Of several values with equally many the last place may go to another one, or by an estimate to a near one.
    if (found === undefined && isNearLast(values, expected)) continue;
    if (found === undefined) throw wrong(key);
    for (const [at, metric] of metrics.entries()) {
      const error = Math.abs(found[at]! - values[at]!) / Math.max(1, values[at]!);
      if (error > (DISTINCT.includes(metric) ? MOST_ERROR : 0)) throw wrong(key);
      largest = Math.max(largest, error);
    }
  }
  if (answer.size !== expected.size)
    throw new Error(`${name}: ${answer.size} values, the rows say ${expected.size}`);
  return largest;
}

function isNearLast(values: readonly number[], expected: Answer): boolean {
  const least = Math.min(...[...expected.values()].map(([first]) => first!));
  return expected.size === LIMIT && values[0]! <= least * (1 + 2 * MOST_ERROR);
}
