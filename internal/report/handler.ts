import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { QueryService } from "../gen/footfall/query/v1/query_pb.js";
import { peerKey } from "../rpc/peer.ts";
import { type Authenticate, merchantKey } from "./gate.ts";
import { getBreakdown } from "./get-breakdown.ts";
import { type GetReportDeps, getReport } from "./get-report.ts";
import { getGoalReport } from "./goals/get-goal-report.ts";
import { merchantGoals } from "./goals/list-goals.ts";
import { goalReportFromWire, goalReportToWire, goalsToWire } from "./goals/wire.ts";
import { breakdownFromWire, breakdownToWire, reportToWire, requestFromWire } from "./wire.ts";

export interface QueryHandlersDeps extends GetReportDeps {
  /** Throws what the caller is to see when there is no merchant. */
  readonly authenticate: Authenticate;
}

/**
 * QueryService for a ConnectRouter. Throws PERMISSION_DENIED for another merchant than the key's, and lets
 * getReport's failures through to the mapper of RPC errors.
 */
export function queryHandlers(deps: QueryHandlersDeps): ServiceImpl<typeof QueryService> {
  /** The key's merchant, before anything else is looked at: a foreign id learns nothing from other errors. */
  const merchantOf = async (asked: number, { requestHeader, values }: HandlerContext) => {
    // A GET has no body, and so passes no gate.
    const merchant = values.get(merchantKey) ?? (await deps.authenticate(requestHeader, values.get(peerKey)));
    if (asked === 0 || asked === merchant.merchantId) return merchant;
    throw new ConnectError(`merchant ${asked} is not the key's`, Code.PermissionDenied);
  };
  return {
    async getReport(request, context) {
      const merchant = await merchantOf(request.merchantId, context);
      return reportToWire(await getReport(deps, merchant, requestFromWire(request)));
    },
    async getBreakdown(request, context) {
      const merchant = await merchantOf(request.merchantId, context);
      return breakdownToWire(await getBreakdown(deps, merchant, breakdownFromWire(request)));
    },
    async listGoals(request, context) {
      const merchant = await merchantOf(request.merchantId, context);
      return goalsToWire(merchant, await merchantGoals(deps, merchant));
    },
    async getGoalReport(request, context) {
      const merchant = await merchantOf(request.merchantId, context);
      return goalReportToWire(await getGoalReport(deps, merchant, goalReportFromWire(request)));
    },
  };
}
