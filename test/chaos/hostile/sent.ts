import type { CreatedMerchant } from "../../../internal/store/merchants.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import type { Problem } from "../problem.ts";

/** The merchant whose keys a hostile client has, and what that one sent so far. */
export interface Hostile {
  readonly merchant: CreatedMerchant;
  readonly sent: Sent;
}

/** The events that a hostile client sent and that may be taken: some were acked. */
export class Sent {
  readonly #acked = new Map<string, boolean>();

  add(eventId: string): void {
    if (!this.#acked.has(eventId)) this.#acked.set(eventId, false);
  }

  ack(eventId: string): void {
    this.#acked.set(eventId, true);
  }

  /** Events that were acked at least once. */
  get acked(): number {
    return [...this.#acked.values()].filter((isAcked) => isAcked).length;
  }

  /** What must never be of a merchant's rows: an acked event that is not there, one that is there twice. */
  async compare(pool: Pool, merchantId: number): Promise<Problem[]> {
    const { rows } = await pool.query<{ eventId: string; copies: number }>(
      `SELECT event_id AS "eventId", count(*)::integer AS copies FROM events
       WHERE merchant_id = $1 GROUP BY event_id`,
      [merchantId],
    );
    const stored = new Map(rows.map(({ eventId, copies }) => [eventId, copies]));
    const problem = (kind: Problem["kind"], eventId: string, message: string): Problem => ({
      kind,
      merchantId,
      eventId,
      message: `of a hostile client: ${message}`,
    });
    const lost = [...this.#acked].filter(([id, isAcked]) => isAcked && !stored.has(id));
    const doubled = [...stored].filter(([, copies]) => copies > 1);
    return [
      ...lost.map(([id]) => problem("lost", id, "acked, not stored")),
      ...doubled.map(([id, copies]) => problem("duplicated", id, `stored ${copies} times`)),
    ];
  }
}
