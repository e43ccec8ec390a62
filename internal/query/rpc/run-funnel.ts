import { create } from "@bufbuild/protobuf";
import { partitionOf } from "../../event/partition.ts";
import { Failure } from "../../failure/failure.ts";
import {
  type RunFunnelRequest,
  type RunFunnelResponse,
  RunFunnelResponseSchema,
} from "../../gen/footfall/query/v1/funnel_pb.js";
import { FUNNEL_METRICS } from "../run/funnel-table.ts";
import type { Answered } from "../run/run-questions.ts";
import type { Unit } from "../schema/field.ts";
import { answerCall, checkMerchant } from "./answer.ts";
import type { Method, ReportDeps } from "./answer-reports.ts";
import { writeRegexes } from "./conditions.ts";
import { isKnown, setEtag } from "./etag.ts";
import { infoToWire } from "./info-to-wire.ts";
import { type NamesFields, schemaFor } from "./merchant-schema.ts";
import { type AskedFunnel, readFunnel } from "./read-funnel.ts";
import { partialOf } from "./report-to-wire.ts";
import { tableToWire } from "./table-to-wire.ts";

/** RunFunnel. @throws Failure as answerCall and QuestionRunner.run, "invalid" for a wrong request. */
export function runFunnel(deps: ReportDeps): Method<RunFunnelRequest, RunFunnelResponse> {
  const { quickPool: pool, partitions, runner, metrics } = deps;
  return (request, context) =>
    answerCall(deps, { rpc: "RunFunnel", context }, async (limits, { merchantId, timeZone, currency }) => {
      checkMerchant(request.scope?.merchantId ?? 0, { merchantId });
      const fields = fieldsOf(request);
      const schema = await schemaFor([fields], { pool, limits, merchantId });
      for (const filter of fields.filters) await writeRegexes(filter);
      const merchant = { merchantId, partitionId: partitionOf(merchantId, partitions), timeZone, currency };
      const asked = readFunnel(request, merchant, schema, Date.now());
      const isSame = await isKnown(context, [asked], () => runner.look([asked], limits));
      if (isSame) return create(RunFunnelResponseSchema);
      const answered = (await runner.run([asked], limits))[0]!;
      if (answered instanceof Failure) throw answered;
      setEtag(context, [asked], [answered]);
      metrics.answered(answered);
      return funnelToWire(asked, answered, runner.remaining(merchantId));
    });
}

function fieldsOf({ breakdown, scope, steps }: RunFunnelRequest): NamesFields {
  return { names: [breakdown], filters: [scope?.filter, ...steps.map(({ event }) => event)] };
}

/** @param remaining cost units that the merchant has left. */
function funnelToWire(
  asked: AskedFunnel,
  { answer, isKept, spent }: Answered,
  remaining: number,
): RunFunnelResponse {
  const { question } = asked;
  const units: Readonly<Record<string, Unit>> = FUNNEL_METRICS;
  const context = {
    unitOf: (name: string) => units[name],
    spans: question.spans,
    partial: partialOf(asked, answer),
  };
  return create(RunFunnelResponseSchema, {
    table: tableToWire(answer.table, context),
    totals: tableToWire(answer.totals, context),
    stepTitles: question.steps.map(({ title }) => title),
    info: infoToWire(question, answer, { spent, remaining, isKept }),
  });
}
