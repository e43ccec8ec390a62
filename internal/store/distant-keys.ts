import { DAY_MS } from "./day.ts";
import type { Client } from "./pool.ts";

/** How far the time inside an id may be from when its event was received, ms: a device without a network for days is usual. */
export const NEAR_MS = 7 * DAY_MS;

/** Lengths of the spans that distant_keys notes, ms, counted from 1970 on; its migration has them too. */
export const KEY_SPAN_MS = 28 * DAY_MS;
export const RECEIVED_SPAN_MS = 7 * DAY_MS;

/**
 * Whether the time inside an id says nothing about when its event came: a clock that stands, an id that was made up. Its
 * chunk of event_keys may be one that retention is about to drop, or one that is kept for decades, so that such a key goes
 * by when it was received. Both in ms since 1970-01-01 UTC.
 */
export function isDistant(keyTime: number, receivedTime: number): boolean {
  return Math.abs(keyTime - receivedTime) > NEAR_MS;
}

/** Notes where a transaction's distant event keys are, so that retention finds them: a few rows, however many keys. */
export class DistantKeys {
  readonly #seen = new Set<string>();
  readonly #merchants: number[] = [];
  readonly #keySpans: number[] = [];
  readonly #receivedSpans: number[] = [];

  add(merchantId: number, keyTime: number, receivedTime: number): void {
    const keySpan = Math.floor(keyTime / KEY_SPAN_MS) * KEY_SPAN_MS;
    const receivedSpan = Math.floor(receivedTime / RECEIVED_SPAN_MS) * RECEIVED_SPAN_MS;
    const place = `${merchantId} ${keySpan} ${receivedSpan}`;
    if (this.#seen.has(place)) return;
    this.#seen.add(place);
    this.#merchants.push(merchantId);
    this.#keySpans.push(keySpan);
    this.#receivedSpans.push(receivedSpan);
  }

  async write(client: Client): Promise<void> {
    if (this.#seen.size === 0) return;
    await client.query(
      `INSERT INTO distant_keys (merchant_id, key_span, received_week)
       SELECT merchant_id, to_timestamp(key_ms / 1000), to_timestamp(received_ms / 1000)
       FROM unnest($1::integer[], $2::float8[], $3::float8[]) AS n (merchant_id, key_ms, received_ms)
       ON CONFLICT DO NOTHING`,
      [this.#merchants, this.#keySpans, this.#receivedSpans],
    );
  }
}
