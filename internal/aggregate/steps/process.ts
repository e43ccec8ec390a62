import type { BatchView } from "../../event/batch-view.ts";
import { bots } from "./bots.ts";
import { commerce } from "./commerce.ts";
import { device } from "./device.ts";
import { geo } from "./geo.ts";
import { page } from "./page.ts";
import { session } from "./session.ts";
import { source } from "./source.ts";
import { type Derived, emptyDerived, type Step, type StepContext } from "./step.ts";
import { time } from "./time.ts";
import { visitor } from "./visitor.ts";

/** The steps in their order: one that uses what another has derived comes after it. */
export const STEPS: readonly Step[] = [time, visitor, session, bots, device, geo, source, page, commerce];

/**
 * Version of the steps as a whole, stored with each row: a replay tells old results from new by it. The sum of the
 * steps' versions and of those of steps that are gone, so that it rises with any of them. Version 1 was before
 * steps had versions of their own.
 */
export const PROCESSOR_VERSION = STEPS.reduce((sum, { version }) => sum + version, 0);

/** Runs the steps. @param observe is told how long each took, seconds. */
export function process(
  batch: BatchView,
  context: StepContext,
  observe: (step: string, seconds: number) => void = () => {},
  steps: readonly Step[] = STEPS,
): Derived {
  const derived = emptyDerived(batch);
  for (const step of steps) {
    const started = performance.now();
    step.run(batch, derived, context);
    observe(step.name, (performance.now() - started) / 1_000);
  }
  return derived;
}
