import type { Goal } from "../../../store/goals.ts";
import type { FunnelQuestion } from "../../question/funnel.ts";
import { positionCount } from "../../question/question.ts";
import { type DimensionValue, dimensionValues } from "./dimensions.ts";
import type { StoredEvent } from "./event.ts";
import { passes } from "./filter.ts";
import { type Done, doneInAnyOrder, doneInOrder, type Hit } from "./funnel-ways.ts";
import { worldOf } from "./world.ts";

const DAY_MS = 86_400_000;

/** What is right of a step. */
export interface RightStep {
  readonly visitors: number;
  readonly conversion: number;
  readonly stepConversion: number;
  readonly dropOffs: number;
  readonly revenue: bigint;
  readonly median: number;
  readonly p90: number;
}

/** For each span the steps of a value and position. */
export interface RightFunnel {
  readonly value: DimensionValue;
  readonly position: number;
  readonly spans: readonly (readonly RightStep[])[];
}

/** The right answer to a funnel, by going through all events: of all, and by value and position in the order of the answer. */
export function evaluateFunnel(
  all: readonly StoredEvent[],
  question: FunnelQuestion,
  goals: readonly Goal[],
): { readonly totals: RightFunnel["spans"]; readonly funnels: readonly RightFunnel[] } {
  const hits = question.spans.map((_, at) => hitsOf(all, question, at, goals));
  const of = (isOf: (hit: Hit) => boolean) => hits.map((some) => stepsOf(question, some, isOf));
  const positions = Math.max(1, positionCount(question.spans));
  const values = question.breakdown === undefined ? [null] : topOf(question, hits[0]!);
  const isWhole = (hit: Hit, value: DimensionValue) =>
    question.breakdown === undefined || hit.value === value;
  const hasTime = question.spans[0].edges !== undefined;
  const funnels = values.flatMap((value) =>
    Array.from({ length: positions }, (_, position) => ({
      value,
      position,
      spans: of((hit) => isWhole(hit, value) && (!hasTime || hit.position === position)),
    })),
  );
  return { totals: of(() => true), funnels };
}

function hitsOf(
  all: readonly StoredEvent[],
  question: FunnelQuestion,
  at: number,
  goals: readonly Goal[],
): Hit[] {
  const span = question.spans[at]!;
  const world = worldOf(all, question, { ...span, end: span.end + (question.windowMs ?? DAY_MS) }, goals);
  return world.events.flatMap((event) => {
    const seen = { event, item: undefined };
    if (!passes(question.filter, seen, world)) return [];
    const does = question.steps.map((step) => passes(step.event, seen, world));
    const excludes = question.steps.map(({ excluded }) => excluded.some((one) => passes(one, seen, world)));
    const isIn = event.time < span.end;
    const bucket =
      span.edges === undefined || !isIn ? -1 : span.edges.findLastIndex((edge) => edge <= event.time);
    return {
      event,
      does,
      excludes,
      isEntry: isIn && (question.order === "any" ? does.includes(true) : does[0]!),
      value:
        question.breakdown === undefined ? null : dimensionValues(question.breakdown.name, seen, world)[0]!,
      position: bucket === -1 ? -1 : (span.positions?.[bucket] ?? bucket),
    };
  });
}

/** Values by visitors who enter with them, none last. */
function topOf({ topValues }: FunnelQuestion, hits: readonly Hit[]): DimensionValue[] {
  const visitors = new Map<DimensionValue, Set<number>>();
  for (const { isEntry, value, event } of hits) {
    if (isEntry) visitors.set(value, (visitors.get(value) ?? new Set()).add(event.visitor));
  }
  return [...visitors]
    .sort(([one, some], [other, others]) =>
      one === null || other === null
        ? Number(one === null) - Number(other === null)
        : others.size - some.size || compare(one, other),
    )
    .slice(0, topValues)
    .map(([value]) => value);
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)));
}

/** The steps of ways that are entered with some of the hits. */
function stepsOf(question: FunnelQuestion, hits: readonly Hit[], isOf: (hit: Hit) => boolean): RightStep[] {
  const own = hits.map((hit) => ({ ...hit, isEntry: hit.isEntry && isOf(hit) }));
  const ways = Map.groupBy(own, ({ event: { visitor, session } }) =>
    question.windowMs === undefined ? `${visitor} ${session}` : `${visitor}`,
  );
  const done: Done[] = [...ways.values()].flatMap((way) => {
    const relevant = way.filter(
      ({ does, excludes }) => question.order === "strict" || does.includes(true) || excludes.includes(true),
    );
    return question.order === "any" ? doneInAnyOrder(question, relevant) : doneInOrder(question, relevant);
  });
  const counts = question.steps.map((_, at) => numbersOf(done.filter(({ step }) => step === at)));
  return counts.map((one, at) => {
    const before = counts[question.steps.slice(0, at).findLastIndex(({ isOptional }) => !isOptional)] ?? one;
    return {
      ...one,
      conversion: one.visitors / counts[0]!.visitors,
      stepConversion: one.visitors / before.visitors,
      dropOffs: at === 0 ? 0 : before.visitors - one.visitors,
    };
  });
}

function numbersOf(done: readonly Done[]) {
  const visitors = Map.groupBy(done, ({ event }) => event.visitor);
  const times = [...visitors.values()]
    .map((own) => Math.min(...own.map(({ sinceMs }) => sinceMs ?? Number.POSITIVE_INFINITY)))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const revenue = done.reduce(
    (sum, { event, pays }) => sum + (pays ? (event.order?.revenueMicros ?? 0n) : 0n),
    0n,
  );
  return { visitors: visitors.size, revenue, median: quantile(times, 0.5), p90: quantile(times, 0.9) };
}

/** Seconds; between two times it lies in proportion. */
function quantile(times: readonly number[], share: number): number {
  if (times.length === 0) return Number.NaN;
  const place = share * (times.length - 1);
  const [below, above] = [times[Math.floor(place)]!, times[Math.ceil(place)]!];
  return (below + (above - below) * (place - Math.floor(place))) / 1_000;
}
