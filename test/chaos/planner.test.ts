import { expect, test } from "vitest";
import { describeFault, type FaultKind, planRound } from "./planner.ts";
import { LINE_TARGETS, linesOfTarget, PARTS } from "./topology.ts";

const rounds = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test("the same seed and round is the same plan, another one another", () => {
  const plans = (seed: number) => rounds(50).map((round) => planRound(seed, round).map(describeFault));
  expect(plans(1)).toEqual(plans(1));
  expect(plans(1)).not.toEqual(plans(2));
  expect(new Set(plans(1).map(String)).size).toBe(50);
});

test("within 200 plans every kind of fault and every part occurs, one or two at a time", () => {
  const plans = rounds(200).map((round) => planRound(1, round));
  expect(new Set(plans.map(({ length }) => length))).toEqual(new Set([1, 2]));
  const kinds = new Set(plans.flat().map(({ kind }) => kind));
  const all: FaultKind[] = [
    "kill",
    "stop",
    "restart",
    "cut",
    "stall",
    "delay",
    "lose answers",
    "truncate",
    "new leader",
    "full disk",
    "clock",
  ];
  expect([...kinds].sort()).toEqual(all.sort());
  const targets = new Set(plans.flat().map(({ target }) => target));
  expect(PARTS.filter((part) => !targets.has(part))).toEqual([]);
});

test("two faults of a round have different targets", () => {
  const same = rounds(500)
    .map((round) => planRound(3, round))
    .filter(([first, second]) => first!.target === second?.target);
  expect(same).toEqual([]);
});

test("a target is one line, or all from one part to the parts of a kind", () => {
  expect(linesOfTarget("ingest-1>nats").map(({ name }) => name)).toEqual([
    "ingest-1>nats-1",
    "ingest-1>nats-2",
    "ingest-1>nats-3",
  ]);
  expect(linesOfTarget("ingest-1>nats-2").map(({ name }) => name)).toEqual(["ingest-1>nats-2"]);
  expect(LINE_TARGETS.filter((target) => linesOfTarget(target).length === 0)).toEqual([]);
});
