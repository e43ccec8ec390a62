import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { QueryService } from "../gen/footfall/query/v1/query_pb.js";
import { getBreakdown } from "./get-breakdown.ts";
import { type GetReportDeps, getReport, type Merchant } from "./get-report.ts";
import { getGoalReport } from "./goals/get-goal-report.ts";
import { merchantGoals } from "./goals/list-goals.ts";
import { goalReportFromWire, goalReportToWire, goalsToWire } from "./goals/wire.ts";
import { breakdownFromWire, breakdownToWire, reportToWire, requestFromWire } from "./wire.ts";

export interface QueryHandlersDeps extends GetReportDeps {
  /** The merchant whose read key the headers carry. Throws what the caller is to see when there is none. */
  readonly authenticate: (headers: Headers) => Promise<Merchant>;
}

/**
 * QueryService for a ConnectRouter. Throws PERMISSION_DENIED for another merchant than the key's, and lets
 * getReport's failures through to the mapper of RPC errors.
 */
export function queryHandlers(deps: QueryHandlersDeps): ServiceImpl<typeof QueryService> {
  /** The key's merchant, before anything else is looked at: a foreign id learns nothing from other errors. */
  const merchantOf = async (asked: number, headers: Headers) => {
    const merchant = await deps.authenticate(headers);
    if (asked === 0 || asked === merchant.merchantId) return merchant;
    throw new ConnectError(`merchant ${asked} is not the key's`, Code.PermissionDenied);
  };
  return {
    async getReport(request, { requestHeader }) {
      const merchant = await merchantOf(request.merchantId, requestHeader);
      return reportToWire(await getReport(deps, merchant, requestFromWire(request)));
    },
    async getBreakdown(request, { requestHeader }) {
      const merchant = await merchantOf(request.merchantId, requestHeader);
      return breakdownToWire(await getBreakdown(deps, merchant, breakdownFromWire(request)));
    },
    async listGoals(request, { requestHeader }) {
      const merchant = await merchantOf(request.merchantId, requestHeader);
      return goalsToWire(merchant, await merchantGoals(deps, merchant));
    },
    async getGoalReport(request, { requestHeader }) {
      const merchant = await merchantOf(request.merchantId, requestHeader);
      return goalReportToWire(await getGoalReport(deps, merchant, goalReportFromWire(request)));
    },
  };
}
