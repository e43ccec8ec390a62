/** Of some answers, ms. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly n: number;
}

export function summaryOf(ms: readonly number[]): Times {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (q: number) => rounded(sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN);
  return { p50: at(0.5), p99: at(0.99), n: ms.length };
}

export function rounded(ms: number): number {
  return Number(ms.toFixed(ms < 10 ? 2 : 1));
}

export async function timed<T>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const start = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - start };
}

/** Rounds at least, and what takes longer than a part of the time is asked no more often. */
const LEAST = 3;

/** Several pieces of work in turn, again and again for some seconds; how long each took each time, ms. */
export async function inTurns(
  works: readonly (() => Promise<unknown>)[],
  seconds: number,
): Promise<number[][]> {
  const ms = works.map((): number[] => []);
  const end = performance.now() + seconds * 1_000;
  for (let round = 0; round < LEAST || performance.now() < end; round++) {
    for (const [at, work] of works.entries()) ms[at]!.push((await timed(work)).ms);
  }
  return ms;
}
