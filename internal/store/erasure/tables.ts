/**
 * What an erasure does with each table and continuous aggregate that has a merchant_id or a visitor_id. A test
 * compares these lists with the catalogue: whoever adds a table decides here.
 */

/** Rows by event time, in the columnstore too: removed window by window. */
export const EVENT_TABLES = ["events", "items"] as const;

/**
 * Tables of which a merchant's erasure removes all rows of the merchant, after EVENT_TABLES, in this order: those
 * that refer to another come before it. Continuous aggregates need not be named: they lose the merchant all the same.
 * A table that is filled from events by anything but a commit needs the care of cells.ts, not this list.
 */
export const MERCHANT_TABLES = [
  "event_keys",
  "distant_keys",
  "order_keys",
  "refund_keys",
  "visitor_sessions",
  "visitors",
  "goals",
  "api_keys",
  "merchants",
] as const;

/** Those of MERCHANT_TABLES whose old chunks are in the columnstore, by the column that their chunks are made by. */
export const CONVERTED_TABLES: Readonly<Record<string, string>> = { event_keys: "key_time" };

/** Tables with a merchant_id that a merchant's erasure leaves, and why. */
export const KEPT_OF_MERCHANT: Readonly<Record<string, string>> = {
  erasures: "the receipt, and the tombstone that keeps what comes again out",
};

/** Tables with a visitor_id that a visitor's erasure removes. Items go with their events; `order_keys` and `refund_keys` are found by these too. */
export const VISITOR_TABLES = [...EVENT_TABLES, "visitor_sessions", "visitors"] as const;

/** Tables with a person's user id or customer id: that person's erasure removes the rows, with all that is the event's. */
export const PERSON_TABLES = ["events"] as const;
