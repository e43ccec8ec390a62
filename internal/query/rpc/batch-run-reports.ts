import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Failure } from "../../failure/failure.ts";
import {
  type BatchRunReportsRequest,
  type BatchRunReportsResponse,
  BatchRunReportsResponseSchema,
  type ReportOutcomeSchema,
  type RunReportResponse,
} from "../../gen/footfall/query/v1/report_pb.js";
import { InvalidField } from "../time/invalid-field.ts";
import { answerCall } from "./answer.ts";
import { answerReports, type Method, type ReportDeps } from "./answer-reports.ts";
import { errorToWire } from "./error-to-wire.ts";
import { missing } from "./field-errors.ts";

const MOST_REQUESTS = 10;

/** BatchRunReports. @throws Failure as answerCall and answerReports, "invalid" for too many requests or none. */
export function batchRunReports(deps: ReportDeps): Method<BatchRunReportsRequest, BatchRunReportsResponse> {
  return ({ requests }, context) =>
    answerCall(deps, { rpc: "BatchRunReports", context }, async (limits, merchant) => {
      if (requests.length === 0) throw missing("requests", `1 to ${MOST_REQUESTS} requests`);
      if (requests.length > MOST_REQUESTS) {
        throw new InvalidField("requests", `${requests.length} requests`, `1 to ${MOST_REQUESTS} requests`);
      }
      const outcomes = (await answerReports(deps, { limits, merchant, context }, requests)) ?? [];
      return create(BatchRunReportsResponseSchema, { outcomes: outcomes.map(outcomeToWire) });
    });
}

function outcomeToWire(outcome: RunReportResponse | Failure): MessageInitShape<typeof ReportOutcomeSchema> {
  if (outcome instanceof Failure) return { outcome: { case: "error", value: errorToWire(outcome) } };
  return { outcome: { case: "report", value: outcome } };
}
