import type { HandlerContext } from "@connectrpc/connect";
import { partitionOf } from "../../event/partition.ts";
import { Failure } from "../../failure/failure.ts";
import type { RunReportRequest, RunReportResponse } from "../../gen/footfall/query/v1/report_pb.js";
import type { Pool } from "../../store/pool.ts";
import type { Answer } from "../question/answer.ts";
import { answerQuestions } from "../run/answer-question.ts";
import { type RetryLimits, readWithRetry } from "../run/read-with-retry.ts";
import type { Schema } from "../schema/schema.ts";
import { type AnswerDeps, checkMerchant } from "./answer.ts";
import type { KeyMerchant } from "./gate.ts";
import { schemaFor } from "./merchant-schema.ts";
import { type AskedReport, readReport } from "./read-report.ts";
import { reportToWire } from "./report-to-wire.ts";

export interface ReportDeps extends AnswerDeps {
  readonly pool: Pool;
  /** How many partitions the installation has. */
  readonly partitions: number;
}

/** An RPC of a service: what it answers a request with. */
export type Method<Request, Response> = (request: Request, context: HandlerContext) => Promise<Response>;

/**
 * Answers some requests of one merchant in one snapshot.
 * @returns for each request a report, or why there is none: it is wrong, or too expensive.
 * @throws Failure where there is an answer to none: "unavailable", "deadline", "cancelled".
 */
export async function answerReports(
  { pool, partitions }: ReportDeps,
  limits: RetryLimits,
  merchant: KeyMerchant,
  requests: readonly RunReportRequest[],
): Promise<(RunReportResponse | Failure)[]> {
  const schema = await schemaFor(requests, { pool, limits, merchantId: merchant.merchantId });
  const asked = requests.map((request) => readOrFailure(request, merchant, partitions, schema));
  const right = asked.flatMap((each) => (each instanceof Failure ? [] : [each]));
  const answers = right.length === 0 ? [] : await readWithRetry(limits, () => answerAll(pool, right, limits));
  const answerOf = new Map(right.map((each, at) => [each, answers[at]!]));
  return asked.map((each) => {
    if (each instanceof Failure) return each;
    const answer = answerOf.get(each)!;
    return answer instanceof Failure ? answer : reportToWire(each, answer);
  });
}

function answerAll(
  pool: Pool,
  asked: readonly AskedReport[],
  limits: RetryLimits,
): Promise<(Answer | Failure)[]> {
  return answerQuestions(
    pool,
    asked.map(({ question }) => question),
    limits,
  );
}

function readOrFailure(
  request: RunReportRequest,
  { merchantId, timeZone, currency }: KeyMerchant,
  partitions: number,
  schema: Schema,
): AskedReport | Failure {
  try {
    checkMerchant(request.scope?.merchantId ?? 0, { merchantId });
    const merchant = { merchantId, partitionId: partitionOf(merchantId, partitions), timeZone, currency };
    return readReport(request, merchant, schema, Date.now());
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
