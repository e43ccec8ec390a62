/** What a person's events are found by, and the column of `events` that has it as a hash. */
export const PERSON_COLUMNS = {
  visitor: "visitor_id",
  user: "user_id",
  customer: "order_customer_id",
} as const;

export type PersonKind = keyof typeof PERSON_COLUMNS;

/** A person, as some of a merchant's events name it. */
export interface Person {
  readonly kind: PersonKind;
  /** 64 bits, signed. */
  readonly hash: bigint;
}

/** Who is to be erased: a person of a merchant, or the whole merchant. */
export interface Subject {
  readonly merchantId: number;
  /** Undefined: the whole merchant. */
  readonly person: Person | undefined;
}

/** An erasure that goes on. */
export interface Erasure extends Subject {
  readonly erasureId: number;
  readonly partition: number;
  /** Of a person, what happened or was received up to here is erased; ms since 1970-01-01 UTC. */
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
  person,
  erasedThrough,
}: Subject & { erasedThrough: number }): Condition {
  if (person === undefined) return { sql: "e.merchant_id = $1", values: [merchantId] };
  return {
    sql: `e.merchant_id = $1 AND e.${PERSON_COLUMNS[person.kind]} = $2
      AND least(e.ts, e.received_at) <= to_timestamp($3::float8 / 1000)`,
    values: [merchantId, person.hash, erasedThrough],
  };
}
