/** Who is to be erased: a merchant's visitor, or the whole merchant. */
export interface Subject {
  readonly merchantId: number;
  /** The visitor's 64-bit hash, signed; undefined: the whole merchant. */
  readonly visitorId: bigint | undefined;
}

/** An erasure that goes on. */
export interface Erasure extends Subject {
  readonly erasureId: number;
  readonly partition: number;
  /** Of a visitor, what happened or was received up to here is erased; ms since 1970-01-01 UTC. */
  readonly erasedThrough: number;
}

/** A condition of SQL, with its values. */
export interface Condition {
  readonly sql: string;
  readonly values: unknown[];
}

/** Which rows of `events`, under the name e, an erasure takes. It is the tombstone's own rule (tombstones.ts). */
export function eventsOf({
  merchantId,
  visitorId,
  erasedThrough,
}: Subject & { erasedThrough: number }): Condition {
  if (visitorId === undefined) return { sql: "e.merchant_id = $1", values: [merchantId] };
  return {
    sql: "e.merchant_id = $1 AND e.visitor_id = $2 AND least(e.ts, e.received_at) <= to_timestamp($3::float8 / 1000)",
    values: [merchantId, visitorId, erasedThrough],
  };
}
