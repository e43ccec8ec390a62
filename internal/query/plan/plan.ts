import { testsOf } from "../question/filter.ts";
import type { Question, Span } from "../question/question.ts";
import { type BaseMetric, basesOf, type Metric, type Relation } from "../schema/field.ts";
import { EVENTS } from "../schema/metrics/traffic.ts";
import { DAY_MS } from "../time/calendar.ts";
import { SESSION_COLUMNS, VISITOR_COLUMNS } from "./columns.ts";
import { type Coverage, cover, type Part, UNITS } from "./cover.ts";
import { columnsOfBehaviors, columnsOf as columnsOfFilter } from "./filter-columns.ts";
import { canEstimate, type Factor, factorFor, isEstimable, productsOf, type Size } from "./sample.ts";
import { SAMPLE, SOURCES, type Source } from "./sources.ts";

/** How far beside a span its sessions may have events, ms: as sessions are cut then. */
export const BESIDE_MS = DAY_MS;

/** Metrics that are counted from the same rows. */
export interface Group {
  readonly relation: Relation;
  /** What answers the parts that are not of rows. */
  readonly source: Source | undefined;
  /** For each of the question's spans the parts that add up to it. */
  readonly parts: readonly (readonly Part[])[];
  readonly metrics: readonly BaseMetric[];
  /** Of the sample of visitors that rows are read of; undefined: all are. */
  readonly factor?: Factor | undefined;
}

/** What is read of whole sessions: columns, and the parts that hold all events of the spans' sessions. */
export interface Facts {
  readonly columns: ReadonlySet<string>;
  readonly parts: readonly Part[];
  /** As a group's. */
  readonly factor: Factor | undefined;
}

/** How a question is answered. */
export interface Plan {
  readonly question: Question;
  /** What is read, each once; the metrics of the question are made of these. */
  readonly bases: readonly BaseMetric[];
  readonly groups: readonly Group[];
  readonly facts: Facts | undefined;
  /** Whether columns of whole visitors are read. */
  readonly visitors: boolean;
  /** Pairs of bases whose products, added up over the visitors of the sample, are read too; none where all is exact. */
  readonly products: readonly (readonly [BaseMetric, BaseMetric])[];
}

/**
 * Chooses for each metric the source that takes least.
 * @param more metrics to be read beside the question's.
 * @param factor of the sample of visitors that counts of visitors and sessions are estimated from; undefined: none.
 */
export function planQuestion(
  question: Question,
  coverage: Coverage,
  more: readonly BaseMetric[] = [],
  factor?: Factor,
): Plan {
  // The number of events, exact, tells which values there are and bounds the estimates.
  const beside = factor === undefined ? more : [...more, EVENTS];
  const bases = unique([...question.metrics, ...metricsOf(question), ...beside].flatMap(basesOf));
  const groups = relationsOf(bases, factor).flatMap((metrics) =>
    groupsOf(question, metrics, coverage, factor),
  );
  const { filter } = question;
  const ofBehaviors = filter === undefined ? [] : columnsOfBehaviors(filter);
  const columns = new Set([...columnsOf(question), ...ofBehaviors, ...bases.flatMap(columnsOfMetric)]);
  const factColumns = new Set([...columns].filter((column) => SESSION_COLUMNS.has(column)));
  return {
    question,
    bases,
    groups,
    facts:
      factColumns.size === 0
        ? undefined
        : {
            columns: factColumns,
            parts: factParts(question, coverage),
            factor: groups.every((one) => one.factor !== undefined || !readsFacts(question, one))
              ? factor
              : undefined,
          },
    visitors: [...columns].some((column) => VISITOR_COLUMNS.has(column)),
    products: factor === undefined ? [] : productsOf(question, bases),
  };
}

/** Whether a question is about whole visitors: its answer then depends on all that was before its spans, too. */
export function isOfWholeVisitors(question: Question): boolean {
  const { filter } = question;
  const bases = [...question.metrics, ...metricsOf(question)].flatMap(basesOf);
  const ofBehaviors = filter === undefined ? [] : columnsOfBehaviors(filter);
  return [...columnsOf(question), ...ofBehaviors, ...bases.flatMap(columnsOfMetric)].some((column) =>
    VISITOR_COLUMNS.has(column),
  );
}

function readsFacts(question: Question, group: Group): boolean {
  const ofBehaviors = question.filter === undefined ? [] : columnsOfBehaviors(question.filter);
  return [...columnsOfGroup(question, group), ...ofBehaviors].some((column) => SESSION_COLUMNS.has(column));
}

/** Of which sample a question is estimated, if it is. @param size of what the merchant has in the spans. */
export function sampleFor(
  question: Question,
  coverage: Coverage,
  size: Pick<Size, "events" | "fromEvents">,
): Factor | undefined {
  const { filter } = question;
  const columns = [...columnsOf(question), ...(filter === undefined ? [] : columnsOfBehaviors(filter))];
  if (coverage.rollupsFrom === undefined || !canEstimate(question, columns)) return undefined;
  const keys = unique(question.metrics.flatMap(basesOf)).filter(isEstimable);
  return factorFor(question, { ...size, hasAggregate: best(question, keys, coverage).source !== undefined });
}

/** The place of a metric among a plan's bases, by which its numbers are named; -1: it is not read. */
export function placeOf({ bases }: Pick<Plan, "bases">, metric: BaseMetric): number {
  return bases.findIndex(({ name }) => name === metric.name);
}

function metricsOf({ metricFilter }: Question): Metric[] {
  return metricFilter === undefined ? [] : testsOf(metricFilter).map(({ field }) => field);
}

function unique(metrics: readonly BaseMetric[]): BaseMetric[] {
  return [...new Map(metrics.map((metric) => [metric.name, metric])).values()];
}

/** The metrics by relation; sums over sessions apart, and quantiles each alone, as parts of a quantile make no whole. */
function relationsOf(bases: readonly BaseMetric[], factor: Factor | undefined): BaseMetric[][] {
  const groups = Map.groupBy(bases, (base) => {
    const { kind, name, relation } = base;
    if (factor !== undefined && isEstimable(base)) return "sample";
    if (kind === "quantile") return name;
    return kind === "session_sum" ? kind : relation;
  });
  return [...groups.values()];
}

function groupsOf(
  question: Question,
  metrics: readonly BaseMetric[],
  coverage: Coverage,
  factor: Factor | undefined,
): Group[] {
  const { relation } = metrics[0]!;
  if (factor !== undefined && isEstimable(metrics[0]!)) {
    return [{ ...group(relation, metrics, best(question, metrics, coverage, [...SOURCES, SAMPLE])), factor }];
  }
  const keys = metrics.filter(({ kind }) => kind !== "additive");
  const sums = metrics.filter(({ kind }) => kind === "additive");
  const together = best(question, metrics, coverage);
  if (keys.length === 0 || sums.length === 0 || relation !== "events")
    return [group(relation, metrics, together)];
  const [ofKeys, ofSums] = [best(question, keys, coverage), best(question, sums, coverage)];
  // One scan of what the keys need anyway costs no more for the sums.
  if (together.cost <= ofKeys.cost + ofSums.cost) return [group(relation, metrics, together)];
  return [group(relation, keys, ofKeys), group(relation, sums, ofSums)];
}

function group(relation: Relation, metrics: readonly BaseMetric[], { source, parts }: Candidate): Group {
  return { relation, source, parts, metrics };
}

interface Candidate {
  readonly source: Source | undefined;
  readonly parts: readonly (readonly Part[])[];
  readonly cost: number;
}

function best(
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
  const columns = columnsOf(question);
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

/** The columns that the question's dimensions and filter read. */
function columnsOf({ dimensions, filter }: Question): Set<string> {
  const ofDimensions = dimensions.filter(({ type }) => type !== "bucket").flatMap(({ columns }) => columns);
  return new Set([...ofDimensions, ...(filter === undefined ? [] : columnsOfFilter(filter))]);
}

/** The columns of whole sessions and visitors, and of rows, that a metric reads. */
function columnsOfMetric(metric: BaseMetric): readonly string[] {
  switch (metric.kind) {
    case "session_sum":
      return metric.measure.columns;
    case "distinct":
      return [...(metric.where?.columns ?? []), ...(metric.where?.whole?.columns ?? [])];
    default:
      return metric.columns;
  }
}

/** The columns that a group's rows are read for. */
export function columnsOfGroup(question: Question, { metrics }: Group): Set<string> {
  return new Set([...columnsOf(question), ...metrics.flatMap(columnsOfMetric)]);
}

/** Visits have what all columns of whole sessions are merged of (sql/facts.ts). */
function factParts({ spans }: Question, { rollupsFrom, stale }: Coverage): Part[] {
  const by = {
    units: ["day"] as const,
    usableFrom: rollupsFrom ?? Number.POSITIVE_INFINITY,
    stale,
    canSubtract: false,
  };
  return united(spans.map((span) => around(span, rollupsFrom !== undefined))).flatMap(({ start, end }) =>
    cover([start, end], by),
  );
}

/** A span with what is beside it. @param isWhole to whole days: what is too much does no harm to whole sessions. */
function around({ start, end }: Span, isWhole: boolean): { start: number; end: number } {
  const beside = { start: start - BESIDE_MS, end: end + BESIDE_MS };
  if (!isWhole) return beside;
  return {
    start: Math.floor(beside.start / DAY_MS) * DAY_MS,
    end: Math.ceil(beside.end / DAY_MS) * DAY_MS,
  };
}

function united(spans: readonly { start: number; end: number }[]): { start: number; end: number }[] {
  const result: { start: number; end: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else result.push({ ...span });
  }
  return result;
}
