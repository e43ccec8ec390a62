import { Failure } from "../../failure/failure.ts";
import type { RunReportRequest, RunReportResponse } from "../../gen/footfall/query/v1/report_pb.js";
import { answer } from "./answer.ts";
import { answerReports, type Method, type ReportDeps } from "./answer-reports.ts";

/** RunReport. @throws Failure as answer and answerReports, "invalid" for a wrong request. */
export function runReport(deps: ReportDeps): Method<RunReportRequest, RunReportResponse> {
  return (request, context) =>
    answer(deps, { rpc: "RunReport", context }, async (limits, merchant) => {
      const [outcome] = await answerReports(deps, limits, merchant, [request]);
      if (outcome instanceof Failure) throw outcome;
      return outcome!;
    });
}
