import { SERIES_NAMES, type SeriesName } from "../metrics/registry.ts";
import type { Row } from "./fixture.ts";

/** The metrics of some rows, counted one by one in plain code: what reports are compared with. */
export function recount(
  all: readonly Row[],
  includeBots = false,
): Record<SeriesName | "unconverted_orders", bigint> {
  const rows = all.filter((row) => includeBots || !row.isBot);
  const orders = rows.filter((row) => row.orderId !== null);
  const kind = (row: Row) => row.orderKind ?? 1;
  return {
    events: BigInt(rows.length),
    page_views: BigInt(rows.filter((row) => row.name === "page_view").length),
    visitors: BigInt(new Set(rows.map((row) => row.visitor)).size),
    sessions: BigInt(new Set(rows.map((row) => row.session)).size),
    revenue: orders.reduce((sum, row) => sum + (row.revenue ?? 0n), 0n),
    orders: BigInt(orders.filter((row) => kind(row) === 1).length),
    unconverted_orders: BigInt(orders.filter((row) => kind(row) !== 2 && row.revenue === null).length),
  };
}

/** What a report must say of a merchant's rows, given its buckets' edges (epoch ms): values and total by metric. */
export function expectedSeries(
  rows: readonly Row[],
  merchantId: number,
  edges: readonly number[],
  includeBots = false,
) {
  const own = rows.filter(
    (row) => row.merchantId === merchantId && row.ts >= edges[0]! && row.ts < edges.at(-1)!,
  );
  const buckets = edges.slice(1).map((end, index) =>
    recount(
      own.filter((row) => row.ts >= edges[index]! && row.ts < end),
      includeBots,
    ),
  );
  const whole = recount(own, includeBots);
  return SERIES_NAMES.map((metric) => ({
    metric,
    values: buckets.map((bucket) => bucket[metric]),
    total: whole[metric],
  }));
}
