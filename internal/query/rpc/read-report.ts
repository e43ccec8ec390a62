import { Failure } from "../../failure/failure.ts";
import type { RunReportRequest } from "../../gen/footfall/query/v1/report_pb.js";
import type { Merchant, Question } from "../question/question.ts";
import { TIME } from "../schema/dimensions.ts";
import type { Schema } from "../schema/schema.ts";
import type { Granularity } from "../time/beginnings.ts";
import type { Calendar } from "../time/calendar.ts";
import { spansOf } from "../time/spans.ts";
import { readFields, readOrder, readPageSize, readTopValues } from "./read-fields.ts";
import { readFilter, readMetricFilter } from "./read-filter.ts";
import { readComparison, readGranularity, readPeriod } from "./read-period.ts";
import { readScope } from "./read-scope.ts";

/** A report that is asked for: the question, and what its answer is told with. */
export interface AskedReport {
  readonly question: Question;
  readonly calendar: Calendar;
  /** Of the dimension `time`; undefined without it. */
  readonly granularity: Granularity | undefined;
}

const MONDAY = 1;

/**
 * Reads a request.
 * @param schema what the merchant may ask for. @param now ms since 1970-01-01 UTC.
 * @throws Failure "invalid" that names the field; "precondition" for a page token.
 */
export function readReport(
  request: RunReportRequest,
  merchant: Merchant,
  schema: Schema,
  now: number,
): AskedReport {
  checkPageToken(request.pageToken);
  const { scope, comparison, metricFilter, includeEmpty } = request;
  const readingScope = readScope(scope, merchant);
  const fields = readFields(request, schema);
  const { metrics, dimensions } = fields;
  const granularity = readGranularity(request.granularity, dimensions.includes(TIME));
  const calendar = { timeZone: readingScope.timeZone, firstDayOfWeek: MONDAY };
  const metricNamed = (name: string) => metrics.find((metric) => metric.name === name);
  const when = {
    period: readPeriod(request.period),
    comparison: comparison && readComparison(comparison),
    granularity,
  };
  const question: Question = {
    merchant,
    ...readingScope,
    ...fields,
    spans: spansOf(when, calendar, now),
    filter: scope?.filter && readFilter(scope.filter, schema.dimension, "scope.filter"),
    metricFilter: metricFilter && readMetricFilter(metricFilter, metricNamed, "metric_filter"),
    orderBy: readOrder(request.orderBy, fields, comparison !== undefined),
    includeEmpty,
    offset: 0,
    limit: readPageSize(request.pageSize, dimensions),
    topValues: readTopValues(request.topValues, dimensions),
  };
  return { question, calendar, granularity };
}

function checkPageToken(token: string): void {
  if (token === "") return;
  const message = "page_token: the data of the first page are not kept any more; ask for it again";
  throw new Failure("precondition", message, { reason: "PAGE_TOKEN_EXPIRED", field: "page_token" });
}
