import { expect, test } from "vitest";
import { explore } from "./explore.ts";
import { PROTOCOL, type Rules } from "./rules.ts";
import { NEVER_AT_REST } from "./search.ts";
import type { World } from "./state.ts";

/**
 * One of each. The SDK sends event 0 (with an id) and event 1 (without one) in one request, and event 0 again, in
 * up to two more requests, until it is acked.
 */
const SMALL: World = {
  rules: PROTOCOL,
  requests: [0b11, 0b01, 0b01],
  keyed: 0b01,
  poison: 0,
  collectors: 1,
  ingests: 1,
  aggregators: 1,
  spool: false,
  faults: 2,
};

const POISON = 0b001;
const TWO = { collectors: 2, ingests: 2, aggregators: 2 } as const;

// Two of each with two faults hold as well: 1,353,768 states, too many for every run of the tests.
const WORLDS: Record<string, Partial<World>> = {
  "one of each, three faults": { requests: [0b11, 0b01, 0b01, 0b01], faults: 3 },
  "two of each, one fault": { ...TWO, faults: 1 },
  "two aggregators, two faults": { aggregators: 2 },
  "two collectors and two ingests, two faults": { collectors: 2, ingests: 2 },
  "a spool, two faults": { spool: true },
  "two of each with spools, one fault": { ...TWO, spool: true, faults: 1 },
  "a batch that cannot be processed, two faults": { poison: POISON },
  "two of each and a batch that cannot be processed, one fault": { ...TWO, poison: POISON, faults: 1 },
};

test("in no order of steps and faults an acked event is lost, stored twice, or stuck", {
  timeout: 240_000,
}, () => {
  const counts = Object.entries(WORLDS).map(([name, world]) => {
    const started = performance.now();
    const { states, transitions, depth, problem } = explore({ ...SMALL, ...world });
    expect({ name, problem }).toEqual({ name, problem: undefined });
    return { name, states, transitions, depth, ms: Math.round(performance.now() - started) };
  });
  console.table(counts);
  // A search that sees less than it did is a mistake in the model.
  expect(counts.reduce((sum, { states }) => sum + states, 0)).toBeGreaterThan(700_000);
});

/** The rule that is broken, what then goes wrong, and the world that shows it. */
const MUTATIONS: [keyof Rules, string, Partial<World>?][] = [
  ["answerAfterPublishAck", "event 0 was acked and is lost"],
  ["syncBeforePublishAck", "event 0 was acked and is lost"],
  ["syncBeforeDelivery", "the position has passed sequence 1, which is not committed"],
  ["syncBeforeSpoolAck", "event 0 was acked and is lost", { spool: true }],
  ["batchKeepsId", "event 1 is stored twice"],
  ["eventKeys", "event 0 is stored twice"],
  ["ledgerInTransaction", "event 1 is stored twice"],
  ["fencing", "an aggregator committed from a position that others had moved", { aggregators: 2 }],
  ["positionFromDatabase", NEVER_AT_REST],
  ["commitBeforeStreamAck", "JetStream was told of more than is committed"],
  ["deadLetterBeforeCommit", "event 0 was acked and is lost", { poison: POISON }],
  ["deadLetteredLineIsOpen", "event 0 was acked and is lost", { poison: POISON }],
  ["redrivePastWindow", "event 0 was acked and is lost", { poison: POISON }],
];

test("every rule is broken by one of the mutations", () => {
  expect(MUTATIONS.map(([rule]) => rule).sort()).toEqual(Object.keys(PROTOCOL).sort());
});

test.each(MUTATIONS)("without %s: %s", (rule, what, world = {}) => {
  const { states, problem } = explore({ ...SMALL, ...world, rules: { ...PROTOCOL, [rule]: false } });
  expect(problem?.what).toBe(what);
  const trace = problem!.trace.map((step, at) => `${String(at + 1).padStart(4)} ${step}`);
  console.log([`without ${rule}, after ${states} states:`, ...trace, `     ${what}`].join("\n"));
});
