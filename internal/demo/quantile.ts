/** Events that took the same time, ms. */
export interface Delay {
  readonly ms: number;
  readonly events: number;
}

/** The q-quantile of delays over events, whole ms; 0 when there is none. @param q from 0 to 1. */
export function quantile(delays: readonly Delay[], q: number): number {
  const sorted = delays.toSorted((a, b) => a.ms - b.ms);
  let left = q * sorted.reduce((sum, { events }) => sum + events, 0);
  for (const { ms, events } of sorted) {
    left -= events;
    if (left <= 0) return Math.round(ms);
  }
  return 0;
}
