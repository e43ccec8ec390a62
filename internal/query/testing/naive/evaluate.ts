import type { Goal } from "../../../store/goals.ts";
import type { Question } from "../../question/question.ts";
import { type DimensionValue, dimensionValues, hasItemValues } from "./dimensions.ts";
import type { StoredEvent } from "./event.ts";
import { holds, passes, passesTest } from "./filter.ts";
import { countsItems, type MetricValue, makesRow, metricOf, type Slice } from "./metrics.ts";
import { ordered } from "./order.ts";
import { type Seen, type World, worldOf } from "./world.ts";

/** A row of an answer. */
export interface Row {
  readonly dimensions: readonly DimensionValue[];
  /** For each span the metrics. */
  readonly metrics: readonly (readonly MetricValue[])[];
  /** Whether it stands for all values beyond topValues. */
  readonly isRest: boolean;
}

/** The right answer to a question. */
export interface RightAnswer {
  readonly rows: readonly Row[];
  readonly totals: readonly (readonly MetricValue[])[];
  readonly totalRows: number;
}

/**
 * Answers a question by going through all events, slowly and plainly: what the engine is measured by.
 * @param goals the merchant's.
 */
export function evaluate(
  all: readonly StoredEvent[],
  question: Question,
  goals: readonly Goal[] = [],
): RightAnswer {
  const slices = question.spans.map((span) => sliceOf(question, worldOf(all, question, span, goals)));
  const rows = rowsOf(question, slices).filter((row) => isAskedFor(question, row));
  const sorted = ordered(question, rows);
  return {
    rows: sorted.slice(question.offset, question.offset + question.limit),
    totals: slices.map((slice) => metricsOf(question, slice)),
    totalRows: sorted.length,
  };
}

/** All that the filter passes. */
function sliceOf(question: Question, world: World): Slice {
  const items = world.events.flatMap((event) => event.items.map((item) => ({ event, item })));
  return {
    world,
    events: world.events.filter((event) => passes(question.filter, { event, item: undefined }, world)),
    items: items.filter((seen) => passes(question.filter, seen, world)),
  };
}

function metricsOf({ metrics }: Question, slice: Slice): MetricValue[] {
  return metrics.map(({ name }) => metricOf(name, slice));
}

function isAskedFor({ metrics, metricFilter }: Question, { metrics: values }: Row): boolean {
  if (metricFilter === undefined) return true;
  return holds(
    metricFilter,
    (metric, test) => {
      const value = Number(values[0]![metrics.findIndex(({ name }) => name === metric.name)]);
      const isAmount = metric.unit === "currency" && metric.kind !== "ratio";
      return passesTest(Number.isNaN(value) ? null : isAmount ? value / 1e6 : value, test);
    },
    () => {
      throw new TypeError("metrics have no behavior");
    },
  );
}

function rowsOf(question: Question, slices: readonly Slice[]): Row[] {
  const groups = groupsOf(question, slices, restOf(question, slices));
  addBuckets(question, groups, slices[0]!.world.goals);
  return [...groups.values()].map(({ dimensions, isRest, slices: own }) => ({
    dimensions,
    isRest,
    metrics: own.map((slice) => metricsOf(question, slice)),
  }));
}

interface Group {
  readonly dimensions: readonly DimensionValue[];
  readonly isRest: boolean;
  readonly slices: readonly { world: World; events: StoredEvent[]; items: Seen[] }[];
}

type IsRest = (values: readonly DimensionValue[]) => boolean;

/** What is counted, by the values of its dimensions. Of the rest only its time is told. */
function groupsOf(question: Question, slices: readonly Slice[], ofRest: IsRest): Map<string, Group> {
  const groups = new Map<string, Group>();
  const groupOf = (values: readonly DimensionValue[]) => {
    const isRest = ofRest(values);
    const dimensions = values.map((value, at) => (isRest && !isTime(question, at) ? null : value));
    const key = keyOf(dimensions, isRest);
    if (!groups.has(key)) groups.set(key, { dimensions, isRest, slices: slices.map(emptied) });
    return groups.get(key)!;
  };
  /** The groups that something is in, each once. */
  const groupsOfOne = (seen: Seen, world: World) =>
    new Set(
      combinations(question.dimensions.map(({ name }) => dimensionValues(name, seen, world))).map(groupOf),
    );
  slices.forEach(({ world, events, items }, at) => {
    for (const event of events.filter((one) => needsEvent(question, one, world))) {
      for (const group of groupsOfOne({ event, item: undefined }, world))
        group.slices[at]!.events.push(event);
    }
    if (question.metrics.some(({ name }) => countsItems(name))) {
      for (const seen of items) {
        for (const group of groupsOfOne(seen, world)) group.slices[at]!.items.push(seen);
      }
    }
  });
  return groups;
}

/** One of each list, in all ways. */
function combinations(lists: readonly (readonly DimensionValue[])[]): DimensionValue[][] {
  return lists.reduce<DimensionValue[][]>(
    (begun, values) => begun.flatMap((one) => values.map((value) => [...one, value])),
    [[]],
  );
}

function keyOf(dimensions: readonly DimensionValue[], isRest: boolean): string {
  return JSON.stringify([dimensions, isRest]);
}

function isTime({ dimensions }: Question, at: number): boolean {
  return dimensions[at]!.name === "time";
}

function emptied({ world }: Slice): Group["slices"][number] {
  return { world, events: [], items: [] };
}

function needsEvent({ metrics, dimensions }: Question, event: StoredEvent, world: World): boolean {
  return (
    !dimensions.some(({ name }) => hasItemValues(name)) &&
    metrics.some(({ name }) => makesRow(name, event, world))
  );
}

/** Without dimensions there is always one row; where time is the only dimension, buckets without events are there too. */
function addBuckets(question: Question, groups: Map<string, Group>, goals: readonly Goal[]): void {
  if (question.dimensions.length > 1 || (question.dimensions.length === 1 && !isTime(question, 0))) return;
  const slices = question.spans.map((span) =>
    emptied({ world: worldOf([], question, span, goals), events: [], items: [] }),
  );
  if (question.dimensions.length === 0) {
    if (groups.size === 0) groups.set(keyOf([], false), { dimensions: [], isRest: false, slices });
    return;
  }
  const taken = question.spans.flatMap(
    ({ edges, positions }) => positions ?? edges!.slice(1).map((_, bucket) => bucket),
  );
  for (const position of taken) {
    const key = keyOf([position], false);
    if (!groups.has(key)) groups.set(key, { dimensions: [position], isRest: false, slices });
  }
}

/** Tells which values of the dimensions are not among the first of the first metric, over all buckets. */
function restOf(question: Question, slices: readonly Slice[]): IsRest {
  const { topValues, dimensions } = question;
  const others = dimensions.filter(({ name }) => name !== "time");
  if (topValues === undefined || others.length === 0) return () => false;
  const plain: Question = {
    ...question,
    // What the first metric counts nothing of in the first span is not among the first.
    spans: [question.spans[0]],
    metrics: question.metrics.slice(0, 1),
    dimensions: others,
    topValues: undefined,
    orderBy: [{ by: { metric: 0 }, ascending: false, byChange: false }],
  };
  const tops = ordered(plain, rowsOf(plain, slices.slice(0, 1))).slice(0, topValues);
  const kept = new Set(tops.map((row) => keyOf(row.dimensions, false)));
  return (values) =>
    !kept.has(
      keyOf(
        values.filter((_, at) => !isTime(question, at)),
        false,
      ),
    );
}
