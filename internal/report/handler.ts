import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { QueryService } from "../gen/footfall/query/v1/query_pb.js";
import { type GetReportDeps, getReport, type Merchant } from "./get-report.ts";
import { reportToWire, requestFromWire } from "./wire.ts";

export interface QueryHandlersDeps extends GetReportDeps {
  /** The merchant whose read key the headers carry. Throws what the caller is to see when there is none. */
  readonly authenticate: (headers: Headers) => Promise<Merchant>;
}

/**
 * QueryService for a ConnectRouter. Throws PERMISSION_DENIED for another merchant than the key's, and lets
 * getReport's failures through to the mapper of RPC errors.
 */
export function queryHandlers(deps: QueryHandlersDeps): ServiceImpl<typeof QueryService> {
  return {
    async getReport(request, context) {
      const merchant = await deps.authenticate(context.requestHeader);
      // Before anything else is looked at, so that a foreign id learns nothing from other errors.
      if (request.merchantId !== 0 && request.merchantId !== merchant.merchantId) {
        throw new ConnectError(`merchant ${request.merchantId} is not the key's`, Code.PermissionDenied);
      }
      return reportToWire(await getReport(deps, merchant, requestFromWire(request)));
    },
  };
}
