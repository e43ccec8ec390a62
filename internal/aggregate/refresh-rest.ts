/**
 * A refresh works a whole bucket over, however little of it is new; under load, refreshing without a pause
 * would take a core to itself. After each refresh it rests for this many times as long as the refresh took.
 * Reports do not wait for it: they count invalid buckets from the rows.
 */
const REST = 4;

/**
 * The aggregates are to hold an event within 5 s. In the worst case it comes as a refresh begins, and waits for its end,
 * the rest and a refresh of its own. The rest is shorter where that keeps this time, ms, but at least as long as the
 * refresh: half of a core. What takes longer still gets its usual rest.
 */
const FRESH_MS = 4_500;

/** While its process works off a backlog, which is longer than this (ms), the refresh leaves it more of the machine. */
const BACKLOG_MS = 5_000;
const BACKLOG_REST = 19;
const LONGEST_BACKLOG_REST_MS = 10_000;

/**
 * How long the refresher rests, ms.
 * @param tookMs how long the refresh before took.
 * @param lagMs how far behind the partitions of this process are.
 */
export function restAfter(tookMs: number, lagMs: number): number {
  const usual = REST * tookMs;
  if (lagMs > BACKLOG_MS) return Math.min(BACKLOG_REST * tookMs, Math.max(LONGEST_BACKLOG_REST_MS, usual));
  const fresh = FRESH_MS - 2 * tookMs;
  return fresh < tookMs ? usual : Math.min(usual, fresh);
}
