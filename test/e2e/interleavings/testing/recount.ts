/** One stored event, as far as reports look at it. */
export interface Row {
  readonly merchantId: number;
  /** Ms since 1970-01-01 UTC. */
  readonly ts: number;
  readonly visitor: number;
  readonly session: number;
  readonly name: string;
  readonly orderId: string | null;
  /** 1 an order, 2 a repeat, 3 a refund. */
  readonly orderKind: number;
  readonly isBot: boolean;
  /** Micros; null for no order, and for one that was not converted. */
  readonly revenue: bigint | null;
}

/** What is asked for of all events. */
export const METRICS = ["events", "page_views", "visitors", "sessions", "revenue", "orders"] as const;

export type Counts = Readonly<Record<(typeof METRICS)[number], bigint>>;

/** The metrics of some rows, counted one by one in plain code: what reports are compared with. */
export function recountRows(all: readonly Row[], includeBots = false): Counts {
  const rows = all.filter((row) => includeBots || !row.isBot);
  const orders = rows.filter((row) => row.orderId !== null);
  return {
    events: BigInt(rows.length),
    page_views: BigInt(rows.filter((row) => row.name === "page_view").length),
    visitors: BigInt(new Set(rows.map((row) => row.visitor)).size),
    sessions: BigInt(new Set(rows.map((row) => row.session)).size),
    revenue: orders.reduce((sum, row) => sum + (row.revenue ?? 0n), 0n),
    orders: BigInt(orders.filter(({ orderKind }) => orderKind === 1).length),
  };
}
