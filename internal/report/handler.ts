import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { QueryService } from "../gen/footfall/report/v1/report_pb.js";
import { type AnswerDeps, answer } from "./answer.ts";
import { getBreakdown } from "./get-breakdown.ts";
import { type GetReportDeps, getReport, type Merchant } from "./get-report.ts";
import { getGoalReport } from "./goals/get-goal-report.ts";
import { merchantGoals } from "./goals/list-goals.ts";
import { goalReportFromWire, goalReportToWire, goalsToWire } from "./goals/wire.ts";
import type { Rpc } from "./metrics.ts";
import { breakdownFromWire, breakdownToWire, reportToWire, requestFromWire } from "./wire.ts";

/**
 * QueryService for a ConnectRouter. Throws PERMISSION_DENIED for another merchant than the key's, and lets
 * getReport's failures through to the mapper of RPC errors.
 */
export function queryHandlers(all: AnswerDeps): ServiceImpl<typeof QueryService> {
  /** A method: `work` translates what the merchant asks, and the answer. */
  const method =
    <Q extends { merchantId: number }, R>(
      rpc: Rpc,
      work: (deps: GetReportDeps, merchant: Merchant, request: Q) => Promise<R>,
    ) =>
    (request: Q, context: HandlerContext): Promise<R> =>
      answer(all, { rpc, asked: request.merchantId, context }, (deps, merchant) =>
        work(deps, merchant, request),
      );
  return {
    getReport: method("GetReport", async (deps, merchant, request) =>
      reportToWire(await getReport(deps, merchant, requestFromWire(request))),
    ),
    getBreakdown: method("GetBreakdown", async (deps, merchant, request) =>
      breakdownToWire(await getBreakdown(deps, merchant, breakdownFromWire(request))),
    ),
    listGoals: method("ListGoals", async (deps, merchant) =>
      goalsToWire(merchant, await merchantGoals(deps, merchant)),
    ),
    getGoalReport: method("GetGoalReport", async (deps, merchant, request) =>
      goalReportToWire(await getGoalReport(deps, merchant, goalReportFromWire(request))),
    ),
  };
}
