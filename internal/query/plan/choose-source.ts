import type { Question, Span } from "../question/question.ts";
import type { BaseMetric } from "../schema/field.ts";
import { DAY_MS } from "../time/calendar.ts";
import { SESSION_COLUMNS, VISITOR_COLUMNS } from "./columns.ts";
import { type Coverage, cover, type Part, UNITS } from "./cover.ts";
import { columnsOfQuestion } from "./question-columns.ts";
import { SOURCES, type Source } from "./sources.ts";

/** What could answer metrics: a source, or rows alone. */
export interface Candidate {
  readonly source: Source | undefined;
  readonly parts: readonly (readonly Part[])[];
  readonly cost: number;
}

/** What takes least of all sources that have what is asked for. */
export function best(
  question: Question,
  metrics: readonly BaseMetric[],
  coverage: Coverage,
  sources: readonly Source[] = SOURCES,
): Candidate {
  const usable = sources.filter((source) => answers(source, question, metrics));
  const candidates = [undefined, ...usable].map((source) => candidate(question, metrics, source, coverage));
  return candidates.reduce((least, each) => (each.cost < least.cost ? each : least));
}

function candidate(
  question: Question,
  metrics: readonly BaseMetric[],
  source: Source | undefined,
  { rollupsFrom, stale }: Coverage,
): Candidate {
  const usableFrom = source?.everyone ? Number.NEGATIVE_INFINITY : (rollupsFrom ?? Number.POSITIVE_INFINITY);
  const by = {
    units: UNITS.filter((unit) => source?.tables[unit] !== undefined),
    usableFrom,
    stale,
    canSubtract: metrics.every(({ kind }) => kind === "additive"),
  };
  const parts = question.spans.map((span) => cover(edgesOf(span), by));
  const cost = parts.flat().reduce((sum, part) => sum + costOf(part, source), 0);
  return { source, parts, cost };
}

function edgesOf({ start, end, edges }: Span): readonly number[] {
  return edges ?? [start, end];
}

function costOf({ unit, from, to }: Part, source: Source | undefined): number {
  return ((to - from) / DAY_MS) * (unit === "rows" ? 1 : source!.cost);
}

/** Whether a source has all that metrics, dimensions and filter ask for. */
function answers(source: Source, question: Question, metrics: readonly BaseMetric[]): boolean {
  const columns = columnsOfQuestion(question);
  // A field of the clock is told by the time of the row, which a whole day does not have.
  if (columns.has("time") && source.tables.quarter_hour === undefined) return false;
  const needed = [...columns].flatMap(keyOf).filter((column) => column !== "time");
  return (
    needed.every((column) => source.columns.has(column)) && metrics.every((metric) => has(source, metric))
  );
}

function has({ columns, cells }: Source, metric: BaseMetric): boolean {
  if (metric.relation !== "events") return false;
  switch (metric.kind) {
    case "additive":
      return metric.cell !== undefined && cells.has(metric.cell);
    case "session_sum":
      return columns.has("session_id");
    case "quantile":
      return false;
    case "distinct": {
      if (!columns.has(metric.of)) return false;
      if (metric.where?.cell !== undefined) return cells.has(metric.where.cell);
      return (metric.where?.columns ?? []).flatMap(keyOf).every((column) => columns.has(column));
    }
  }
}

/** The column of rows that columns of whole sessions and visitors are found by; else the column itself. */
function keyOf(column: string): string[] {
  if (SESSION_COLUMNS.has(column)) return ["session_id"];
  if (VISITOR_COLUMNS.has(column)) return ["visitor_id"];
  return [column];
}
