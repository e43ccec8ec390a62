import { isAtRest, problemOf } from "./invariants.ts";
import { keyOf, normalized } from "./key.ts";
import { type Found, search } from "./search.ts";
import { initialState, type State, type Steps, type World } from "./state.ts";
import { aggregatorSteps } from "./steps/aggregator.ts";
import { brokerSteps } from "./steps/broker.ts";
import { collectorSteps } from "./steps/collector.ts";
import { ingestSteps } from "./steps/ingest.ts";
import { operatorSteps } from "./steps/operator.ts";
import { sdkSteps } from "./steps/sdk.ts";

const PARTS: readonly Steps[] = [
  sdkSteps,
  collectorSteps,
  ingestSteps,
  brokerSteps,
  aggregatorSteps,
  operatorSteps,
];

/** Explores a world whole: every order of every step, every fault at every moment. */
export function explore(world: World): Found {
  const ids = world.requests.length * (world.rules.batchKeepsId ? 1 : 2);
  if (ids > 6) throw new Error(`${ids} batches are more than the key has room for`);
  return search<State>({
    initial: initialState(world),
    key: keyOf,
    steps(state, take) {
      for (const steps of PARTS) {
        steps(world, state, (label, next, fault = false) => {
          const left = fault ? { ...next, faults: next.faults - 1 } : next;
          take(label, normalized(world, left), fault);
        });
      }
    },
    problem: (state) => problemOf(world, state),
    atRest: (state) => isAtRest(world, state),
  });
}
