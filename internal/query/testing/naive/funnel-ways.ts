import type { FunnelQuestion } from "../../question/funnel.ts";
import type { DimensionValue } from "./dimensions.ts";
import type { StoredEvent } from "./event.ts";

/** An event that a funnel looks at. */
export interface Hit {
  readonly event: StoredEvent;
  /** For each step whether it does it, and whether it is excluded before it. */
  readonly does: readonly boolean[];
  readonly excludes: readonly boolean[];
  readonly isEntry: boolean;
  readonly value: DimensionValue;
  readonly position: number;
}

/** A step that was done. */
export interface Done {
  readonly event: StoredEvent;
  /** From 0 on. */
  readonly step: number;
  /** Since the step before; undefined: there is none. */
  readonly sinceMs: number | undefined;
  /** Whether its revenue counts for the step. */
  readonly pays: boolean;
}

/** A step before another, done on a way that began at some time. */
interface Before {
  readonly step: number;
  readonly at: number;
  readonly began: number;
}

/** Tries all ways. @param hits of one visitor or session, in the order of time. */
export function doneInOrder(question: FunnelQuestion, hits: readonly Hit[]): Done[] {
  const { steps, windowMs = Number.POSITIVE_INFINITY } = question;
  /** For each step and hit: when the ways began on which the hit does it. */
  const begun: number[][][] = steps.map(() => []);
  const done: Done[] = [];
  steps.forEach((_, step) => {
    hits.forEach(({ event, does, isEntry }, at) => {
      const ways = step === 0 ? [] : waysTo(question, hits, begun, step, at);
      const within = ways.filter(({ began }) => event.time - began <= windowMs);
      const began = step > 0 ? within.map((way) => way.began) : [event.time];
      begun[step]![at] = (step === 0 ? isEntry : does[step]!) ? [...new Set(began)] : [];
      if (begun[step]![at]!.length === 0) return;
      const newest = Math.max(...began);
      const nearest = Math.max(...within.filter((way) => way.began === newest).map((way) => way.step));
      // When the step before was last done, on whichever way.
      const last = ways.filter((way) => way.step === nearest).sort((one, other) => other.at - one.at)[0];
      const sinceMs = last && event.time - hits[last.at]!.event.time;
      done.push({ event, step, sinceMs, pays: true });
    });
  });
  return done;
}

/** All that may come right before a step at a hit. */
function waysTo(
  { steps, order }: FunnelQuestion,
  hits: readonly Hit[],
  begun: readonly (readonly (readonly number[])[])[],
  step: number,
  at: number,
): Before[] {
  const ways: Before[] = [];
  for (let before = step - 1; before >= 0; before--) {
    for (let from = order === "strict" ? at - 1 : 0; from < at; from++) {
      const between = hits.slice(from + 1, at + 1);
      const isExcluded = between.some(({ excludes }) => excludes.slice(before + 1, step + 1).includes(true));
      if (from < 0 || isExcluded) continue;
      for (const began of begun[before]![from]!) ways.push({ step: before, at: from, began });
    }
    if (!steps[before]!.isOptional) break;
  }
  return ways;
}

/** How many different steps were done by each hit since the first entry within the window before it. */
export function doneInAnyOrder(
  { steps, windowMs = Number.POSITIVE_INFINITY }: FunnelQuestion,
  hits: readonly Hit[],
): Done[] {
  return hits.flatMap((hit, at) => {
    const { time } = hit.event;
    const entries = hits.filter(
      ({ isEntry, event }) => isEntry && event.time <= time && event.time >= time - windowMs,
    );
    if (entries.length === 0) return [];
    const begun = Math.min(...entries.map(({ event }) => event.time));
    const before = hits.slice(0, at).filter(({ event }) => event.time >= begun);
    const wasDone = steps.map((_, step) => before.some(({ does }) => does[step]));
    const count = steps.filter((_, step) => wasDone[step] || hit.does[step]).length;
    const isNew = hit.does.some((does, step) => does && !wasDone[step]);
    const last = before.filter(({ does }) => does.includes(true)).at(-1);
    return Array.from({ length: count }, (_, step) => {
      const isThis = step + 1 === count && isNew;
      return {
        event: hit.event,
        step,
        sinceMs: isThis && last ? time - last.event.time : undefined,
        pays: isThis,
      };
    });
  });
}
