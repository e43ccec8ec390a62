import { readWithRetry } from "../query/run/read-with-retry.ts";
import { readEventCount } from "../store/report/read-report.ts";
import { readLimitsOf } from "../store/snapshot.ts";
import type { GetReportDeps, Merchant } from "./get-report.ts";

/**
 * How many of a merchant's events rollups know of a span: what decides whether an estimate from them is quicker than
 * counting. Undefined: they know nothing of it.
 * @param span epoch milliseconds, [start, end).
 */
export async function countRollupEvents(
  deps: GetReportDeps,
  { merchantId, rollupsReadyFrom }: Merchant,
  span: { readonly start: number; readonly end: number },
): Promise<number | undefined> {
  const start = Math.max(span.start, rollupsReadyFrom ?? Number.POSITIVE_INFINITY);
  if (start >= span.end) return undefined;
  const query = { merchantId, start, end: span.end, ...readLimitsOf(deps) };
  return readWithRetry(deps, () => readEventCount(deps.pool, query));
}
