import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { FilterSchema } from "../../internal/gen/footfall/query/v1/filter_pb.js";
import { Granularity, type PeriodSchema } from "../../internal/gen/footfall/query/v1/period_pb.js";
import {
  type RunReportRequest,
  RunReportRequestSchema,
} from "../../internal/gen/footfall/query/v1/report_pb.js";
import { Accuracy } from "../../internal/gen/footfall/query/v1/scope_pb.js";
import type { Merchant, Question } from "../../internal/query/question/question.ts";
import { readReport } from "../../internal/query/rpc/read-report.ts";
import { mostRows, rowsAround } from "../../internal/query/run/pages.ts";
import { schemaOf } from "../../internal/query/schema/schema.ts";

/** Values that a top list answers. */
export const LIMIT = 10;

/** A question as a dashboard puts it, by the names of fields. */
export interface Asked {
  readonly name: string;
  readonly metrics: readonly string[];
  /** None, "time" or one other. */
  readonly dimension?: string;
  /** With "time". */
  readonly granularity?: "hour" | "day" | "week" | "month";
  readonly period: NonNullable<MessageInitShape<typeof PeriodSchema>["span"]>;
  /** Only events of which this dimension has this value. */
  readonly filter?: { readonly dimension: string; readonly value: string };
}

export type Precision = "exact" | "balanced";

const GRANULARITY = {
  hour: Granularity.HOUR,
  day: Granularity.DAY,
  week: Granularity.WEEK,
  month: Granularity.MONTH,
} as const;

const ACCURACY = { exact: Accuracy.EXACT, balanced: Accuracy.BALANCED } as const;

const SCHEMA = schemaOf({ goals: [], properties: [] });

/** What a client sends, in the merchant's own time zone. */
export function requestOf(asked: Asked, precision: Precision): RunReportRequest {
  const { metrics, dimension, granularity, period, filter } = asked;
  return create(RunReportRequestSchema, {
    scope: { accuracy: ACCURACY[precision], ...(filter !== undefined && { filter: filterOf(filter) }) },
    period: { span: period },
    metrics: [...metrics],
    dimensions: dimension === undefined ? [] : [dimension],
    granularity: granularity === undefined ? Granularity.UNSPECIFIED : GRANULARITY[granularity],
    pageSize: dimension === "time" ? 0 : LIMIT,
  });
}

function filterOf({ dimension, value }: NonNullable<Asked["filter"]>): MessageInitShape<typeof FilterSchema> {
  const test = { case: "text", value: { value } } as const;
  return { expression: { case: "condition", value: { field: dimension, test } } };
}

/** The question that the service makes of it, with the rows that it reads for the page. */
export function questionOf(asked: Asked, precision: Precision, merchant: Merchant): Question {
  const { question } = readReport(requestOf(asked, precision), merchant, SCHEMA, Date.now());
  return { ...question, ...rowsAround(question, mostRows(question)) };
}
