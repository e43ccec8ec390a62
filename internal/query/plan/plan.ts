import { type AnyQuestion, isFunnel } from "../question/any-question.ts";
import { testsOf } from "../question/filter.ts";
import type { Question } from "../question/question.ts";
import { type BaseMetric, basesOf, type Metric, type Relation } from "../schema/field.ts";
import { EVENTS } from "../schema/metrics/traffic.ts";
import { best, type Candidate } from "./choose-source.ts";
import { SESSION_COLUMNS, VISITOR_COLUMNS } from "./columns.ts";
import type { Coverage, Part } from "./cover.ts";
import { factParts } from "./fact-parts.ts";
import { columnsOfBehaviors } from "./filter-columns.ts";
import { columnsOfFunnel } from "./funnel-plan.ts";
import { columnsOfMetric, columnsOfQuestion } from "./question-columns.ts";
import {
  canEstimate,
  type Factor,
  factorFor,
  isEstimable,
  isOfSessions,
  productsOf,
  type Size,
} from "./sample.ts";
import { SAMPLE, SOURCES, type Source } from "./sources.ts";
import { countsWholeSessions } from "./whole-sessions.ts";

/** Metrics that are counted from the same rows. */
export interface Group {
  /** `sessions`: the rows of facts, one of each session. */
  readonly relation: Relation | "sessions";
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
  /** Whether it is told of each session in which spans it has events. */
  readonly presence: boolean;
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
  // The number of events, exact, tells which values there are and bounds the estimates. By whole sessions it would take as
  // long as exact counts.
  const isByEvents = factor !== undefined && !isOfSessions(columnsRead(question, []));
  const beside = isByEvents ? [...more, EVENTS] : more;
  const bases = unique([...question.metrics, ...metricsOf(question), ...beside].flatMap(basesOf));
  const columns = columnsRead(question, bases);
  const factColumns = new Set([...columns].filter((column) => SESSION_COLUMNS.has(column)));
  const isOfWholes = (base: BaseMetric) =>
    factColumns.size > 0 && countsWholeSessions(question, base, coverage);
  const groups = relationsOf(bases, factor, isOfWholes).flatMap((metrics) =>
    isOfWholes(metrics[0]!) && !isOfSample(metrics[0]!, factor)
      ? [{ relation: "sessions" as const, source: undefined, parts: [], metrics }]
      : groupsOf(question, metrics, coverage, factor),
  );
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
            presence: groups.some(({ relation }) => relation === "sessions"),
          },
    visitors: [...columns].some((column) => VISITOR_COLUMNS.has(column)),
    products: factor === undefined ? [] : productsOf(question, bases),
  };
}

/** Whether a question is about whole visitors: its answer then depends on all that was before its spans, too. */
export function isOfWholeVisitors(question: AnyQuestion): boolean {
  const columns = isFunnel(question) ? columnsOfFunnel(question) : columnsOfReport(question);
  return [...columns].some((column) => VISITOR_COLUMNS.has(column));
}

function columnsOfReport(question: Question): Set<string> {
  return columnsRead(question, [...question.metrics, ...metricsOf(question)].flatMap(basesOf));
}

/** All columns that are read for a question, of the events within behaviors too. */
function columnsRead(question: Question, bases: readonly BaseMetric[]): Set<string> {
  const { filter } = question;
  const ofBehaviors = filter === undefined ? [] : columnsOfBehaviors(filter);
  return new Set([...columnsOfQuestion(question), ...ofBehaviors, ...bases.flatMap(columnsOfMetric)]);
}

function readsFacts(question: Question, group: Group): boolean {
  return (
    group.relation === "sessions" ||
    [...columnsRead(question, group.metrics)].some((column) => SESSION_COLUMNS.has(column))
  );
}

/** Of which sample a question is estimated, if it is. @param size of what the merchant has in the spans. */
export function sampleFor(
  question: Question,
  coverage: Coverage,
  size: Pick<Size, "events" | "fromEvents">,
): Factor | undefined {
  const columns = [...columnsRead(question, [])];
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

/**
 * The metrics by relation; what is counted of whole sessions apart, and quantiles each alone, as parts of a quantile make
 * no whole.
 */
function relationsOf(
  bases: readonly BaseMetric[],
  factor: Factor | undefined,
  isOfWholes: (base: BaseMetric) => boolean,
): BaseMetric[][] {
  const groups = Map.groupBy(bases, (base) => {
    const { kind, name, relation } = base;
    if (isOfSample(base, factor)) return "sample";
    if (isOfWholes(base)) return "sessions";
    if (kind === "quantile") return name;
    return kind === "session_sum" ? kind : relation;
  });
  return [...groups.values()];
}

function isOfSample(base: BaseMetric, factor: Factor | undefined): boolean {
  return factor !== undefined && isEstimable(base);
}

function groupsOf(
  question: Question,
  metrics: readonly BaseMetric[],
  coverage: Coverage,
  factor: Factor | undefined,
): Group[] {
  const { relation } = metrics[0]!;
  if (isOfSample(metrics[0]!, factor)) {
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

/** The columns that a group's rows are read for. */
export function columnsOfGroup(question: Question, { metrics }: Group): Set<string> {
  return new Set([...columnsOfQuestion(question), ...metrics.flatMap(columnsOfMetric)]);
}
