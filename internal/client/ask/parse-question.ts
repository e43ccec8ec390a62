import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Failure } from "../../failure/failure.ts";
import { Granularity } from "../../gen/footfall/query/v1/period_pb.js";
import {
  type OrderBySchema,
  type RunReportRequest,
  RunReportRequestSchema,
} from "../../gen/footfall/query/v1/report_pb.js";
import { Accuracy, Identity, Traffic } from "../../gen/footfall/query/v1/scope_pb.js";
import { parseFilter } from "../../query/syntax/parse-filter.ts";
import type { Granularity as GranularityName } from "../../query/time/beginnings.ts";
import { type ComparisonText, type PeriodText, parseComparison, parsePeriod } from "./parse-period.ts";

export const TRAFFICS = ["people", "bots", "all"] as const;
export const IDENTITIES = ["visitor", "person"] as const;
export const ACCURACIES = ["balanced", "exact", "fast"] as const;

/** A question as it is told on a command line. */
export interface QuestionText extends PeriodText, ComparisonText {
  readonly metrics: readonly string[];
  readonly by: readonly string[];
  readonly granularity: GranularityName | undefined;
  readonly filter: string | undefined;
  readonly metricFilter: string | undefined;
  /** "-visitors": largest first; "-visitors:change": by the change. */
  readonly order: readonly string[];
  readonly top: number | undefined;
  readonly includeEmpty: boolean;
  readonly traffic: (typeof TRAFFICS)[number];
  readonly accuracy: (typeof ACCURACIES)[number];
  readonly identity: (typeof IDENTITIES)[number];
  readonly timeZone: string | undefined;
  readonly merchant: number | undefined;
}

/** The request of a question, without its pages. @throws Failure "invalid" that names the flag. */
export function parseQuestion(text: QuestionText): RunReportRequest {
  const { metrics, by, granularity, filter, metricFilter, order, top, traffic, accuracy, identity } = text;
  const comparison = parseComparison(text);
  return create(RunReportRequestSchema, {
    scope: {
      merchantId: text.merchant ?? 0,
      timeZone: text.timeZone ?? "",
      traffic: Traffic[upper(traffic)],
      accuracy: Accuracy[upper(accuracy)],
      identity: Identity[upper(identity)],
      ...(filter !== undefined && { filter: filterOf("--filter", filter) }),
    },
    period: parsePeriod(text),
    metrics: [...metrics],
    dimensions: [...by],
    granularity: Granularity[granularity === undefined ? "UNSPECIFIED" : upper(granularity)],
    ...(comparison !== undefined && { comparison }),
    ...(metricFilter !== undefined && { metricFilter: filterOf("--metric-filter", metricFilter) }),
    orderBy: order.map((one) => parseOrder(one, new Set([...metrics, ...by]))),
    topValues: top ?? 0,
    includeEmpty: text.includeEmpty,
  });
}

const upper = <const T extends string>(word: T) => word.toUpperCase() as Uppercase<T>;

function filterOf(flag: string, text: string) {
  try {
    return parseFilter(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure("invalid", `${flag}: ${error.message}`, { cause: error });
  }
}

/** A field whose own name ends with ":change" is meant by it, where the question has one. */
function parseOrder(text: string, asked: ReadonlySet<string>): MessageInitShape<typeof OrderBySchema> {
  const ascending = !text.startsWith("-");
  const name = ascending ? text : text.slice(1);
  const byChange = !asked.has(name) && name.endsWith(":change");
  return { field: byChange ? name.slice(0, -":change".length) : name, ascending, byChange };
}
