import type { AckLedger, SentEvent, Totals } from "./ack-ledger.ts";
import type { Problem, ProblemKind } from "./problem.ts";
import type { StoredRow } from "./stored.ts";

/** Compares the raw rows of some merchants, all of them, with what the load generator knows. */
export function compareRows(
  ledger: AckLedger,
  merchantIds: readonly number[],
  rows: readonly StoredRow[],
): Problem[] {
  const problems: Problem[] = [];
  const stored = new Map<number, Map<string, StoredRow[]>>(merchantIds.map((id) => [id, new Map()]));
  for (const row of rows) {
    const copies = stored.get(row.merchantId)!.get(row.eventId);
    if (copies === undefined) stored.get(row.merchantId)!.set(row.eventId, [row]);
    else copies.push(row);
  }
  for (const [merchantId, events] of stored) {
    const sent = ledger.of(merchantId);
    const add = (kind: ProblemKind, eventId: string, message: string) =>
      problems.push({ kind, merchantId, eventId, message });
    for (const [eventId, one] of sent) {
      const copies = events.get(eventId)?.length ?? 0;
      if (copies === 0 && one.ack !== undefined) add("lost", eventId, whereabouts(one));
      if (copies > 1) add("duplicated", eventId, `stored ${copies} times; ${whereabouts(one)}`);
    }
    for (const [eventId, [row]] of events) {
      const known = sent.get(eventId);
      const fault = known === undefined ? "never sent to this merchant" : difference(known, row!);
      if (fault !== undefined) add("wrong", eventId, fault);
    }
  }
  return problems;
}

/** Where the load generator saw an event last. */
export function whereabouts({ ack }: SentEvent): string {
  if (ack === undefined) return "never acked";
  return `answered ${ack.status} by ${ack.collector} at ${new Date(ack.timeMs).toISOString()}`;
}

/** A collector whose clock is wrong corrects the clients' times by it: by no more than a "clock" fault, ms. */
const WRONG_CLOCK_MS = 16 * 60_000;

/** What of a row is not as it was sent. */
function difference({ event }: SentEvent, row: StoredRow): string | undefined {
  const { name, url, timeMs, order } = event;
  const fields: (readonly [string, unknown, unknown])[] = [
    ["name", name, row.name],
    ["url", url, row.url],
    ["order_id", order?.id ?? null, row.orderId],
    ["order_revenue_micros", order?.revenueMicros ?? null, row.revenueMicros],
  ];
  if (timeMs !== undefined && Math.abs(timeMs - row.timeMs) > WRONG_CLOCK_MS)
    fields.push(["ts", timeMs, row.timeMs]);
  const wrong = fields.filter(([, sent, stored]) => sent !== stored);
  if (wrong.length === 0) return undefined;
  return wrong.map(([field, sent, stored]) => `${field} was sent as ${sent}, stored as ${stored}`).join("; ");
}

/** Compares a merchant's report over all days with what was acked. @param told the report's totals. */
export function compareReport(merchantId: number, acked: Totals, told: Totals): Problem[] {
  return (Object.keys(acked) as (keyof Totals)[])
    .filter((metric) => acked[metric] !== told[metric])
    .map((metric) => ({
      kind: "report",
      merchantId,
      message: `${metric} ${told[metric]}, acked ${acked[metric]}`,
    }));
}
