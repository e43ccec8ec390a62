import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { QueryService } from "../gen/footfall/report/v1/report_pb.js";
import { type AnswerDeps, answer, checkMerchant } from "../query/rpc/answer.ts";
import type { Rpc } from "../query/rpc/metrics.ts";
import { getBreakdown } from "./get-breakdown.ts";
import { type GetReportDeps, getReport, type Merchant } from "./get-report.ts";
import { getGoalReport } from "./goals/get-goal-report.ts";
import { merchantGoals } from "./goals/list-goals.ts";
import { goalReportFromWire, goalReportToWire, goalsToWire } from "./goals/wire.ts";
import { breakdownFromWire, breakdownToWire, reportToWire, requestFromWire } from "./wire.ts";

/**
 * QueryService for a ConnectRouter. Throws Failure "denied" for another merchant than the key's, and lets
 * getReport's failures through to the mapper of RPC errors.
 */
export function queryHandlers(all: AnswerDeps & GetReportDeps): ServiceImpl<typeof QueryService> {
  /** A method: `work` translates what the merchant asks, and the answer. */
  const method =
    <Q extends { merchantId: number }, R>(
      rpc: Rpc,
      work: (deps: GetReportDeps, merchant: Merchant, request: Q) => Promise<R>,
    ) =>
    (request: Q, context: HandlerContext): Promise<R> =>
      answer(all, { rpc, context }, (limits, merchant) => {
        checkMerchant(request.merchantId, merchant, "merchant_id");
        return work({ ...all, ...limits }, merchant, request);
      });
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
