import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  FunnelOrder,
  type RunFunnelRequest,
  RunFunnelRequestSchema,
} from "../../gen/footfall/query/v1/funnel_pb.js";
import { Granularity } from "../../gen/footfall/query/v1/period_pb.js";
import {
  type OrderBySchema,
  type RunReportRequest,
  RunReportRequestSchema,
} from "../../gen/footfall/query/v1/report_pb.js";
import { Accuracy, Identity, Traffic } from "../../gen/footfall/query/v1/scope_pb.js";
import type { Granularity as GranularityName } from "../../query/time/beginnings.ts";
import { parseFilterFlag } from "./parse-filter-flag.ts";
import {
  type ComparisonText,
  type PeriodText,
  parseComparison,
  parsePeriod,
  parseWindow,
} from "./parse-period.ts";
import { parseSteps } from "./parse-steps.ts";

export const ORDERS = ["in_order", "strict", "any"] as const;
export const TRAFFICS = ["people", "bots", "all"] as const;
export const IDENTITIES = ["visitor", "person"] as const;
export const ACCURACIES = ["balanced", "exact", "fast"] as const;

/** What all questions have, as it is told on a command line. */
export interface ScopeText extends PeriodText, ComparisonText {
  readonly granularity: GranularityName | undefined;
  readonly filter: string | undefined;
  readonly traffic: (typeof TRAFFICS)[number];
  readonly accuracy: (typeof ACCURACIES)[number];
  readonly identity: (typeof IDENTITIES)[number];
  readonly timeZone: string | undefined;
  readonly merchant: number | undefined;
}

/** A question of metrics. */
export interface QuestionText extends ScopeText {
  readonly metrics: readonly string[];
  readonly by: readonly string[];
  readonly metricFilter: string | undefined;
  /** "-visitors": largest first; "-visitors:change": by the change. */
  readonly order: readonly string[];
  readonly top: number | undefined;
  readonly includeEmpty: boolean;
}

/** A funnel. */
export interface FunnelText extends ScopeText {
  readonly steps: string;
  readonly order: (typeof ORDERS)[number];
  /** "7d"; undefined: the session. */
  readonly window: string | undefined;
  readonly by: string | undefined;
  readonly top: number | undefined;
}

/** The request of a question, without its pages. @throws Failure "invalid" that names the flag. */
export function parseQuestion(text: QuestionText): RunReportRequest {
  const { metrics, by, metricFilter, order, top } = text;
  return create(RunReportRequestSchema, {
    ...commonOf(text),
    metrics: [...metrics],
    dimensions: [...by],
    ...(metricFilter !== undefined && { metricFilter: parseFilterFlag("--metric-filter", metricFilter) }),
    orderBy: order.map((one) => parseOrder(one, new Set([...metrics, ...by]))),
    topValues: top ?? 0,
    includeEmpty: text.includeEmpty,
  });
}

/** The request of a funnel. @throws Failure "invalid" that names the flag. */
export function parseFunnel(text: FunnelText): RunFunnelRequest {
  const { steps, order, window, by, top } = text;
  return create(RunFunnelRequestSchema, {
    ...commonOf(text),
    steps: parseSteps(steps),
    order: FunnelOrder[upper(order)],
    ...(window !== undefined && { window: parseWindow(window) }),
    breakdown: by ?? "",
    topValues: top ?? 0,
  });
}

function commonOf(text: ScopeText) {
  const { granularity, filter, traffic, accuracy, identity } = text;
  const comparison = parseComparison(text);
  return {
    scope: {
      merchantId: text.merchant ?? 0,
      timeZone: text.timeZone ?? "",
      traffic: Traffic[upper(traffic)],
      accuracy: Accuracy[upper(accuracy)],
      identity: Identity[upper(identity)],
      ...(filter !== undefined && { filter: parseFilterFlag("--filter", filter) }),
    },
    period: parsePeriod(text),
    granularity: Granularity[granularity === undefined ? "UNSPECIFIED" : upper(granularity)],
    ...(comparison !== undefined && { comparison }),
  };
}

const upper = <const T extends string>(word: T) => word.toUpperCase() as Uppercase<T>;

/** A field whose own name ends with ":change" is meant by it, where the question has one. */
function parseOrder(text: string, asked: ReadonlySet<string>): MessageInitShape<typeof OrderBySchema> {
  const ascending = !text.startsWith("-");
  const name = ascending ? text : text.slice(1);
  const byChange = !asked.has(name) && name.endsWith(":change");
  return { field: byChange ? name.slice(0, -":change".length) : name, ascending, byChange };
}
