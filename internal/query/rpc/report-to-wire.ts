import { create } from "@bufbuild/protobuf";
import { type RunReportResponse, RunReportResponseSchema } from "../../gen/footfall/query/v1/report_pb.js";
import type { Freshness } from "../question/answer.ts";
import type { Question } from "../question/question.ts";
import { printPageToken } from "../run/page-token.ts";
import type { Answered } from "../run/run-questions.ts";
import { partialBuckets } from "../time/buckets.ts";
import type { AskedAbout } from "./asked.ts";
import { infoToWire } from "./info-to-wire.ts";
import type { AskedReport } from "./read-report.ts";
import { type TableContext, tableToWire } from "./table-to-wire.ts";

/** The wire form of an answer. @param remaining cost units that the merchant has left. */
export function reportToWire(asked: AskedReport, answered: Answered, remaining: number): RunReportResponse {
  const { answer, revision, nextOffset, isKept, spent } = answered;
  const { question, key, now } = asked;
  const context = { unitOf: unitsOf(question), spans: question.spans, partial: partialOf(asked, answer) };
  return create(RunReportResponseSchema, {
    table: tableToWire(answer.table, context),
    totals: tableToWire(answer.totals, context),
    totalSize: answer.totalRows,
    nextPageToken: nextOffset === undefined ? "" : printPageToken({ offset: nextOffset, now, revision }, key),
    info: infoToWire(question, answer, { spent, remaining, isKept }),
  });
}

/** For each span which of its buckets are cut by it, or were not over by the time that the data go to. */
export function partialOf(
  { question, calendar, granularity }: AskedAbout,
  { dataThrough }: Freshness,
): boolean[][] {
  // Nothing is complete while nothing was processed.
  const through = dataThrough ?? Number.NEGATIVE_INFINITY;
  return question.spans.map(({ edges }) =>
    edges === undefined || granularity === undefined
      ? []
      : partialBuckets(edges, granularity, calendar, through),
  );
}

function unitsOf({ metrics }: Question): TableContext["unitOf"] {
  return (name) => metrics.find((metric) => metric.name === name)?.unit;
}
