import { SERIES_NAMES, type SeriesName } from "../metrics/registry.ts";
import type { Row } from "./fixture.ts";

/** The metrics of some rows, counted one by one in plain code: what reports are compared with. */
export function recount(rows: readonly Row[]): Record<SeriesName | "unconverted_orders", bigint> {
  const orders = rows.filter((row) => row.orderId !== null);
  return {
    events: BigInt(rows.length),
    page_views: BigInt(rows.filter((row) => row.name === "page_view").length),
    visitors: BigInt(new Set(rows.map((row) => row.visitor)).size),
    sessions: BigInt(new Set(rows.map((row) => row.session)).size),
    revenue: orders.reduce((sum, row) => sum + (row.revenue ?? 0n), 0n),
    orders: BigInt(orders.length),
    unconverted_orders: BigInt(orders.filter((row) => row.revenue === null).length),
  };
}

/** What a report must say of a merchant's rows, given its buckets' edges (epoch ms): values and total by metric. */
export function expectedSeries(rows: readonly Row[], merchantId: number, edges: readonly number[]) {
  const own = rows.filter(
    (row) => row.merchantId === merchantId && row.ts >= edges[0]! && row.ts < edges.at(-1)!,
  );
  const buckets = edges
    .slice(1)
    .map((end, index) => recount(own.filter((row) => row.ts >= edges[index]! && row.ts < end)));
  const whole = recount(own);
  return SERIES_NAMES.map((metric) => ({
    metric,
    values: buckets.map((bucket) => bucket[metric]),
    total: whole[metric],
  }));
}
