import { setImmediate } from "node:timers/promises";
import type { HandlerContext } from "@connectrpc/connect";
import { partitionOf } from "../../event/partition.ts";
import { Failure } from "../../failure/failure.ts";
import type { RunReportRequest, RunReportResponse } from "../../gen/footfall/query/v1/report_pb.js";
import type { Pool } from "../../store/pool.ts";
import { fittingRows, sizesOf } from "../run/pages.ts";
import { type Answered, cutPage, type QuestionRunner } from "../run/run-questions.ts";
import type { Schema } from "../schema/schema.ts";
import { type AnswerDeps, type CallLimits, checkMerchant } from "./answer.ts";
import { writeRegexes } from "./conditions.ts";
import { isKnown, setEtag } from "./etag.ts";
import type { KeyMerchant } from "./gate.ts";
import { schemaFor } from "./merchant-schema.ts";
import { type AskedReport, readReport } from "./read-report.ts";
import { reportToWire } from "./report-to-wire.ts";

export interface ReportDeps extends AnswerDeps {
  /** Connections for what takes long, each at its merchant's turn. */
  readonly pool: Pool;
  /** Connections for what is quick. */
  readonly quickPool: Pool;
  /** How many partitions the installation has. */
  readonly partitions: number;
  readonly runner: QuestionRunner;
}

/** An RPC of a service: what it answers a request with. */
export type Method<Request, Response> = (request: Request, context: HandlerContext) => Promise<Response>;

/** Whose call it is, and within what limits. */
interface Caller {
  readonly limits: CallLimits;
  readonly merchant: KeyMerchant;
  readonly context: HandlerContext;
}

/**
 * Answers some requests of one merchant in one snapshot. The answer of a GET gets an ETag.
 * @returns for each request a report, or why there is none: it is wrong, or too expensive; undefined where the client has
 * them all, by their ETag.
 * @throws Failure where there is an answer to none: "exhausted", "unavailable", "deadline", "cancelled".
 */
export async function answerReports(
  { quickPool: pool, partitions, runner, metrics }: ReportDeps,
  caller: Caller,
  requests: readonly RunReportRequest[],
): Promise<(RunReportResponse | Failure)[] | undefined> {
  const { limits, merchant } = caller;
  const named = requests.map(({ metrics, dimensions, scope }) => ({
    names: [...metrics, ...dimensions],
    filters: [scope?.filter],
  }));
  const schema = await schemaFor(named, { pool, limits, merchantId: merchant.merchantId });
  const asked: (AskedReport | Failure)[] = [];
  for (const request of requests) {
    if (asked.length > 0) await setImmediate();
    await writeRegexes(request.scope?.filter);
    asked.push(readOrFailure(request, merchant, partitions, schema));
  }
  const right = asked.flatMap((each) => (each instanceof Failure ? [] : [each]));
  if (right.length === 0) return asked as Failure[];
  if (
    right.length === asked.length &&
    (await isKnown(caller.context, right, () => runner.look(right, limits)))
  )
    return undefined;
  const answers = await runner.run(right, limits);
  if (right.length === asked.length) setEtag(caller.context, right, answers);
  const reports = await reportsOf(right, answers, runner.remaining(merchant.merchantId));
  for (const each of answers) if (!(each instanceof Failure)) metrics.answered(each);
  return asked.map((each) => (each instanceof Failure ? each : reports[right.indexOf(each)]!));
}

/** The wire form of answers, of as many rows as go into one message. Others have their turn between two of them. */
async function reportsOf(
  asked: readonly AskedReport[],
  answers: readonly (Answered | Failure)[],
  remaining: number,
): Promise<(RunReportResponse | Failure)[]> {
  const sizes: number[][] = [];
  for (const each of answers) {
    sizes.push(each instanceof Failure ? [] : sizesOf(each.answer.table));
    await setImmediate();
  }
  const rows = fittingRows(sizes);
  const reports: (RunReportResponse | Failure)[] = [];
  for (const [at, each] of answers.entries()) {
    const report = asked[at]!;
    const isReport = !(each instanceof Failure);
    reports.push(isReport ? reportToWire(report, cutPage(each, report.page, rows[at]!), remaining) : each);
    await setImmediate();
  }
  return reports;
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
