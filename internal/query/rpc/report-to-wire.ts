import { create } from "@bufbuild/protobuf";
import { type RunReportResponse, RunReportResponseSchema } from "../../gen/footfall/query/v1/report_pb.js";
import type { Answer } from "../question/answer.ts";
import { partialBuckets } from "../time/buckets.ts";
import { infoToWire } from "./info-to-wire.ts";
import type { AskedReport } from "./read-report.ts";
import { type TableContext, tableToWire } from "./table-to-wire.ts";

/** The wire form of an answer. */
export function reportToWire(asked: AskedReport, answer: Answer): RunReportResponse {
  const context = contextOf(asked, answer);
  return create(RunReportResponseSchema, {
    table: tableToWire(answer.table, context),
    totals: tableToWire(answer.totals, context),
    totalSize: BigInt(answer.totalRows),
    info: infoToWire(asked.question, answer),
  });
}

function contextOf({ question, calendar, granularity }: AskedReport, answer: Answer): TableContext {
  const { spans, metrics } = question;
  // Nothing is complete while nothing was processed.
  const through = answer.dataThrough ?? Number.NEGATIVE_INFINITY;
  return {
    spans,
    partial: spans.map(({ edges }) =>
      edges === undefined || granularity === undefined
        ? []
        : partialBuckets(edges, granularity, calendar, through),
    ),
    unitOf: (name) => metrics.find((metric) => metric.name === name)?.unit,
  };
}
