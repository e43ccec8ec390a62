import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import * as wire from "../../gen/footfall/report/v1/report_pb.js";
import type { Counts } from "../../store/goals/read-goal-report.ts";
import type { Goal } from "../../store/goals.ts";
import { fitInt64 } from "../fit.ts";
import type { Merchant } from "../get-report.ts";
import { reportToWire, requestFromWire } from "../wire.ts";
import type { GoalReport, GoalReportRequest, GoalResult } from "./get-goal-report.ts";

/**
 * The plain values of a request, without the merchant.
 *
 * @throws InvalidInput on "range", "times.start", "times.end" or "granularity".
 */
export function goalReportFromWire(request: wire.GetGoalReportRequest): GoalReportRequest {
  const { range, timeZone, granularity, includeBots, goalIds } = request;
  const common = create(wire.GetReportRequestSchema, { range, timeZone, granularity, includeBots });
  return { ...requestFromWire(common), goalIds };
}

/** The wire form of a report of goals: what it has in common with other reports, and the goals. */
export function goalReportToWire(report: GoalReport): wire.GetGoalReportResponse {
  const { merchantId, timeZone, granularity, currency, buckets, dataThrough, delayedEvents, delayedSince } =
    reportToWire({
      ...report,
      series: [],
      unconvertedOrders: 0n,
    });
  return create(wire.GetGoalReportResponseSchema, {
    merchantId,
    timeZone,
    granularity,
    currency,
    buckets,
    visitors: countsToWire(report.visitors),
    results: report.results.map(resultToWire),
    ...(dataThrough !== undefined && { dataThrough }),
    delayedEvents,
    ...(delayedSince !== undefined && { delayedSince }),
  });
}

/** The wire form of a merchant's goals. */
export function goalsToWire(
  { merchantId, currency }: Merchant,
  goals: readonly Goal[],
): wire.ListGoalsResponse {
  return create(wire.ListGoalsResponseSchema, { merchantId, currency, goals: goals.map(goalToWire) });
}

function goalToWire({ goalId, name, eventName, pagePattern, valueMicros, createdTime }: Goal) {
  return {
    goalId,
    name,
    eventName: eventName ?? "",
    pagePattern: pagePattern ?? "",
    ...(valueMicros !== undefined && { valueMicros }),
    createdTime: timestampFromMs(createdTime),
  };
}

function resultToWire({ goal, conversions, visitors, valueMicros, unconvertedOrders }: GoalResult) {
  return {
    goal: goalToWire(goal),
    conversions: countsToWire(conversions),
    visitors: countsToWire(visitors),
    valueMicros: countsToWire(valueMicros),
    unconvertedOrders,
  };
}

function countsToWire(counts: Counts) {
  return fitInt64(counts);
}
