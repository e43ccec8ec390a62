import type { DimensionName } from "../../internal/report/dimensions/registry.ts";
import { getBreakdown } from "../../internal/report/get-breakdown.ts";
import { type GetReportDeps, getReport, type Merchant } from "../../internal/report/get-report.ts";
import type { SeriesName } from "../../internal/report/metrics/registry.ts";
import type { Granularity } from "../../internal/report/time/edges.ts";
import type { Pool } from "../../internal/store/pool.ts";
import {
  type Answer,
  askRows,
  bucket,
  ENTRY_PAGE,
  ITEM_NAME,
  LIMIT,
  type Metric,
  PAGE,
  type Plain,
  type Reach,
  SOURCE,
  SPANS,
} from "./plain-sql.ts";

/** What the product answers. */
export interface Asked {
  readonly answer: Answer;
  /** Of the metrics that are estimated, by the place of the metric: the standard error of each key, relative to it. */
  readonly standardErrors: ReadonlyMap<number, ReadonlyMap<string, number>>;
}

/** A question of the dashboard, asked twice: of the product, and of the raw rows in plain SQL. */
export interface Question {
  readonly name: string;
  readonly reach: Reach;
  readonly metrics: readonly Metric[];
  /** @param exact whether estimates will not do. */
  ask(deps: GetReportDeps, merchant: Merchant, exact?: boolean): Promise<Asked>;
  /** What an analyst would write, nothing prepared for it. */
  askRows(pool: Pool, merchant: Merchant): Promise<Answer>;
}

function series(reach: Reach, granularity: Granularity, metrics: readonly (Metric & SeriesName)[]): Question {
  const range = { kind: "dates" as const, ...SPANS[reach] };
  return {
    name: `${metrics.join(", ")} by ${granularity}`,
    reach,
    metrics,
    async ask(deps, merchant, exact) {
      const report = await getReport(deps, merchant, { range, granularity, metrics, exact });
      const entries = report.edges
        .slice(0, -1)
        .map((edge, at) => [String(edge), report.series.map(({ values }) => Number(values[at]))] as const);
      // Plain SQL has no rows where nothing happened.
      const answer = new Map(entries.filter(([, values]) => values.some((value) => value !== 0)));
      const errors = report.series.map(({ standardError = 0 }) =>
        standardError === 0 ? undefined : report.edges.map((edge) => [String(edge), standardError] as const),
      );
      return { answer, standardErrors: estimated(errors) };
    },
    askRows: (pool, merchant) => askRows(pool, merchant, reach, metrics, bucket(granularity), ""),
  };
}

function top(dimension: DimensionName, reach: Reach, metrics: readonly Metric[], plain: Plain): Question {
  const range = { kind: "dates" as const, ...SPANS[reach] };
  return {
    name: `top ${dimension}`,
    reach,
    metrics,
    async ask(deps, merchant, exact) {
      const found = await getBreakdown(deps, merchant, { range, dimension, metrics, limit: LIMIT, exact });
      const answer = new Map(
        found.values.map((each, at) => [each, found.series.map(({ values }) => Number(values[at]))]),
      );
      const errors = found.series.map(({ standardErrors }) =>
        standardErrors?.map((error, at) => [found.values[at]!, error] as const),
      );
      return { answer, standardErrors: estimated(errors) };
    },
    askRows: (pool, merchant) =>
      askRows(pool, merchant, reach, metrics, plain, `ORDER BY 2 DESC, 1 LIMIT ${LIMIT}`),
  };
}

/** @param errors by metric, and each by key; undefined: it is exact. */
function estimated(
  errors: readonly (readonly (readonly [string, number])[] | undefined)[],
): Asked["standardErrors"] {
  return new Map(errors.flatMap((each, at) => (each === undefined ? [] : [[at, new Map(each)] as const])));
}

const TRAFFIC = ["page_views", "visitors", "sessions"] as const;
const VISITS = ["visitors", "page_views"] as const;

/** What a dashboard shows of a span: who came, whence, where to, and what they did and bought. */
const breakdowns = (reach: Reach): Question[] => [
  top("page", reach, ["page_views", "visitors"], PAGE),
  top("entry_page", reach, ["sessions", "visitors"], ENTRY_PAGE),
  top("source", reach, VISITS, SOURCE),
  top("country", reach, VISITS, { value: "country" }),
  top("device_type", reach, VISITS, { value: "device_type" }),
  top("event_name", reach, ["events", "visitors"], { value: "name" }),
  top("item_name", reach, ["item_revenue", "item_quantity"], ITEM_NAME),
];

/** The ten usual questions: of the last month, with its last day by hour, and of the last year, with its weeks. */
export const QUESTIONS: readonly Question[] = [
  series("day", "hour", TRAFFIC),
  series("month", "day", TRAFFIC),
  series("month", "day", ["revenue", "orders"]),
  ...breakdowns("month"),
  series("year", "week", TRAFFIC),
  series("year", "month", TRAFFIC),
  series("year", "month", ["revenue", "orders"]),
  ...breakdowns("year"),
];
