import { create } from "@bufbuild/protobuf";
import { Failure } from "../../failure/failure.ts";
import {
  type RunReportRequest,
  type RunReportResponse,
  RunReportResponseSchema,
} from "../../gen/footfall/query/v1/report_pb.js";
import { answerCall } from "./answer.ts";
import { answerReports, type Method, type ReportDeps } from "./answer-reports.ts";

/** RunReport. @throws Failure as answerCall and answerReports, "invalid" for a wrong request. */
export function runReport(deps: ReportDeps): Method<RunReportRequest, RunReportResponse> {
  return (request, context) =>
    answerCall(deps, { rpc: "RunReport", context }, async (limits, merchant) => {
      const outcomes = await answerReports(deps, { limits, merchant, context }, [request]);
      if (outcomes === undefined) return create(RunReportResponseSchema);
      const [outcome] = outcomes;
      if (outcome instanceof Failure) throw outcome;
      return outcome!;
    });
}
