import type { Filter } from "../../internal/query/question/filter.ts";
import type { Merchant, Question, Span } from "../../internal/query/question/question.ts";
import { TIME } from "../../internal/query/schema/dimensions.ts";
import { schemaOf } from "../../internal/query/schema/schema.ts";
import type { Granularity } from "../../internal/query/time/beginnings.ts";
import { bucketEdges } from "../../internal/query/time/buckets.ts";
import { type Period, resolvePeriod } from "../../internal/query/time/period.ts";

/** Values that a top list answers. */
export const LIMIT = 10;

/** A question as a dashboard puts it, by the names of fields. */
export interface Asked {
  readonly name: string;
  readonly metrics: readonly string[];
  /** None, "time" or one other. */
  readonly dimension?: string;
  /** With "time". */
  readonly granularity?: Granularity;
  readonly period: Period;
  /** Only events of which this dimension has this value. */
  readonly filter?: { readonly dimension: string; readonly value: string };
}

const SCHEMA = schemaOf({ goals: [], properties: [] });

/** The question of a merchant, in its own time zone: exact, of people. */
export function questionOf(asked: Asked, merchant: Merchant): Question {
  const { timeZone } = merchant;
  const calendar = { timeZone, firstDayOfWeek: 1 };
  const { start, end } = resolvePeriod(asked.period, calendar, Date.now());
  const dimension = asked.dimension === undefined ? undefined : SCHEMA.dimension(asked.dimension)!;
  const isTime = dimension === TIME;
  const edges = isTime ? bucketEdges({ start, end }, asked.granularity!, calendar) : undefined;
  const span: Span = { start, end, ...(edges !== undefined && { edges }) };
  const order = isTime ? { dimension: 0 } : { metric: 0 };
  return {
    merchant,
    timeZone,
    traffic: "people",
    accuracy: "exact",
    identity: "visitor",
    spans: [span],
    metrics: asked.metrics.map((name) => SCHEMA.metric(name)!),
    dimensions: dimension === undefined ? [] : [dimension],
    filter: filterOf(asked),
    orderBy: [{ by: order, ascending: isTime, byChange: false }],
    includeEmpty: false,
    offset: 0,
    limit: isTime ? 10_000 : LIMIT,
  };
}

function filterOf({ filter }: Asked): Filter | undefined {
  if (filter === undefined) return undefined;
  const test = { kind: "text", match: "exact", value: filter.value, ignoreCase: false } as const;
  return { kind: "test", field: SCHEMA.dimension(filter.dimension)!, test };
}
