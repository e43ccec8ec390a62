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
