import type { RunReportRequest } from "../../gen/footfall/query/v1/report_pb.js";
import type { Merchant, Question } from "../question/question.ts";
import { checkPageToken, parsePageToken } from "../run/page-token.ts";
import { questionKey } from "../run/question-key.ts";
import { TIME } from "../schema/dimensions.ts";
import type { Schema } from "../schema/schema.ts";
import type { AskedAbout } from "./asked.ts";
import { readFields, readOrder, readPageSize, readTopValues } from "./read-fields.ts";
import { readFilter, readMetricFilter } from "./read-filter.ts";
import { readScope } from "./read-scope.ts";
import { readWhen } from "./read-when.ts";

export type AskedReport = AskedAbout<Question>;

/**
 * Reads a request.
 * @param schema what the merchant may ask for. @param now ms since 1970-01-01 UTC.
 * @throws Failure "invalid" that names the field.
 */
export function readReport(
  request: RunReportRequest,
  merchant: Merchant,
  schema: Schema,
  now: number,
): AskedReport {
  if (request.pageToken === "") return readAt(request, merchant, schema, now);
  const page = parsePageToken(request.pageToken);
  const asked = readAt(request, merchant, schema, page.now);
  checkPageToken(page, asked.key);
  return { ...asked, page };
}

function readAt(request: RunReportRequest, merchant: Merchant, schema: Schema, now: number): AskedReport {
  const { scope, comparison, metricFilter, includeEmpty } = request;
  const readingScope = readScope(scope, merchant);
  const fields = readFields(request, schema);
  const { metrics, dimensions } = fields;
  const metricNamed = (name: string) => metrics.find((metric) => metric.name === name);
  const { spans, ...when } = readWhen(request, readingScope.timeZone, dimensions.includes(TIME), now);
  const question: Question = {
    merchant,
    ...readingScope,
    ...fields,
    spans,
    filter: scope?.filter && readFilter(scope.filter, schema.dimension, "scope.filter"),
    metricFilter: metricFilter && readMetricFilter(metricFilter, metricNamed, "metric_filter"),
    orderBy: readOrder(request.orderBy, fields, comparison !== undefined),
    includeEmpty,
    offset: 0,
    limit: readPageSize(request.pageSize, { ...fields, spans }),
    topValues: readTopValues(request.topValues, dimensions),
  };
  return { question, key: questionKey(question), now, ...when };
}
