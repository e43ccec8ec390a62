import { median } from "./result.ts";

/** Rounds that a measurement is cut into: the median round is the figure. */
const ROUNDS = 5;

/**
 * How many units a second some synchronous work does, as the median of several rounds after a warm-up.
 * @param work does one batch and returns how many units that was.
 */
export function throughput(seconds: number, work: () => number): number {
  run(seconds / 5, work);
  return median(Array.from({ length: ROUNDS }, () => run(seconds / ROUNDS, work)));
}

/**
 * Measures several pieces of work in turn, round by round, so that a drift of the machine's speed meets all
 * of them alike. @returns the median units a second of each.
 */
export function inTurn(seconds: number, works: readonly (() => number)[]): number[] {
  for (const work of works) run(seconds / 10, work);
  const rounds = Array.from({ length: ROUNDS }, () =>
    works.map((work) => run(seconds / ROUNDS / works.length, work)),
  );
  return works.map((_, index) => median(rounds.map((round) => round[index]!)));
}

function run(seconds: number, work: () => number): number {
  const start = performance.now();
  const end = start + seconds * 1_000;
  let units = 0;
  let now = start;
  while (now < end) {
    units += work();
    now = performance.now();
  }
  return units / ((now - start) / 1_000);
}
