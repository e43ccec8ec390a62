import type { Dimension } from "../schema/field.ts";
import type { Filter } from "./filter.ts";
import type { Scoped } from "./question.ts";

/** A step: what does it, and what may not be done between the step before and it. */
export interface FunnelStep {
  readonly title: string;
  readonly event: Filter;
  /** Whether it may be left out; neither of the first step nor of the last. */
  readonly isOptional: boolean;
  /** Whoever does this since the step before comes no further on that way; none of the first step. */
  readonly excluded: readonly Filter[];
}

/** In what order steps are done. */
export type FunnelOrder = "in_order" | "strict" | "any";

/** How far visitors come on a way of steps that begins in the spans, checked. */
export interface FunnelQuestion extends Scoped {
  /** 2 to 20. */
  readonly steps: readonly FunnelStep[];
  readonly order: FunnelOrder;
  /** From the first step to the last, ms; undefined: within one session. */
  readonly windowMs: number | undefined;
  /** A dimension of the event of entry, which has one value. */
  readonly breakdown: Dimension | undefined;
  /** Values of the breakdown that have funnels: those that most visitors of the first span enter with. */
  readonly topValues: number;
}
