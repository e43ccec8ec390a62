/**
 * The raw fields of an event, each told once: the batch (builder, check, view), its form in the archive, the rows of
 * `events` and `items`, and the rows that tests make all follow these tables. A new field is a line here, a field in
 * event.proto and batch.proto under the same name, and a column in the database. What stands outside of them is what an
 * event is found and counted by (merchant, ids, times) and its properties.
 */

/**
 * How a column holds a value: text, an index of the batch's dictionary; u16 and u32, 0 for absent; flag, a u32 of 0 or
 * 1; micros, an i64 of 0 or more; known, an i64 of micros plus one, 0 where they are not known.
 */
export type Kind = "text" | "u16" | "u32" | "flag" | "micros" | "known";

/** Kinds of 64 bits. */
export type Wide = "micros" | "known";

/** Kinds of whole numbers that a double holds, 0 for absent. */
export type Narrow = "u16" | "u32" | "flag";

/** Whether a value has 64 bits. */
export function isWide(kind: Kind): kind is Wide {
  return kind === "micros" || kind === "known";
}

export interface Field {
  readonly kind: Kind;
  /** Whether each row (order, item) has a value. */
  readonly isRequired?: true;
  /** Column of `events` or `items` and its type, where the value is stored as it came. */
  readonly sql?: `${string} ${"text" | "bigint" | "integer" | "smallint" | "boolean"}`;
  /** Longest text, characters. Without one the collector has a step of its own for the field. */
  readonly limit?: number;
  /** What becomes of a longer text; of one that tells one thing from another, it is its hash. */
  readonly over?: "cut" | "hash";
  /** Range of a number. */
  readonly least?: number | bigint;
  readonly most?: number | bigint;
}

/** Fields of one message, by the names that its message has in JavaScript. */
export type Fields = Readonly<Record<string, Field>>;

/** Values of Consent in event.proto. */
export const Consent = { UNKNOWN: 0, GRANTED: 1, DENIED: 2 } as const;

/** Longest time that an event may tell of a page, ms. */
export const MAX_ACTIVE_MS = 86_400_000;
/** Last place in a list. */
export const MAX_POSITION = 1_000_000;
/** Largest amount, micros: a million million units of a currency. */
export const MAX_AMOUNT_MICROS = 10n ** 18n;
/** Most of an item in one event, micros: a million. */
export const MAX_QUANTITY_MICROS = 10n ** 12n;

const AMOUNT = { kind: "micros", most: MAX_AMOUNT_MICROS } as const;
const COST = { kind: "known", most: MAX_AMOUNT_MICROS + 1n } as const;
const FLAG = { kind: "flag", most: 1 } as const;

/** Of the event itself. */
export const EVENT_FIELDS = {
  name: { kind: "text", isRequired: true, limit: 256, over: "cut", sql: "name text" },
  visitorId: { kind: "text" },
  sessionId: { kind: "text", limit: 256, over: "hash" },
  url: { kind: "text", sql: "url text" },
  referrer: { kind: "text", sql: "referrer text" },
  userAgent: { kind: "text", limit: 4_096, over: "cut", sql: "user_agent text" },
  ip: { kind: "text", sql: "ip text" },
  language: { kind: "text", limit: 256, over: "cut", sql: "language text" },
  screenWidth: { kind: "u16", sql: "screen_width integer" },
  screenHeight: { kind: "u16", sql: "screen_height integer" },
  // Stored as a hash.
  userId: { kind: "text" },
  title: { kind: "text", limit: 1_024, over: "cut", sql: "title text" },
  consent: { kind: "u32", most: Consent.DENIED, sql: "consent smallint" },
  activeMs: { kind: "u32", most: MAX_ACTIVE_MS, sql: "active_ms integer" },
  scrollPercent: { kind: "u32", most: 100, sql: "scroll_percent smallint" },
  sdk: { kind: "text", limit: 256, over: "cut", sql: "sdk text" },
  passive: { ...FLAG, sql: "is_passive boolean" },
  cartId: { kind: "text", limit: 256, over: "hash", sql: "cart_id text" },
  checkoutId: { kind: "text", limit: 256, over: "hash", sql: "checkout_id text" },
} as const satisfies Fields;

/** Of its order or refund; columns of `events`. */
export const ORDER_FIELDS = {
  id: { kind: "text", isRequired: true, limit: 256, over: "hash", sql: "order_id text" },
  revenueMicros: { ...AMOUNT, isRequired: true, sql: "order_revenue_micros bigint" },
  taxMicros: { ...AMOUNT, sql: "order_tax_micros bigint" },
  shippingMicros: { ...AMOUNT, sql: "order_shipping_micros bigint" },
  discountMicros: { ...AMOUNT, sql: "order_discount_micros bigint" },
  currency: { kind: "text", limit: 256, over: "cut", sql: "order_currency text" },
  coupon: { kind: "text", limit: 1_024, over: "cut", sql: "order_coupon text" },
  isRefund: FLAG,
  refundId: { kind: "text", limit: 256, over: "hash", sql: "refund_id text" },
  // Stored as a hash.
  customerId: { kind: "text" },
  costMicros: { ...COST, sql: "order_cost_micros bigint" },
  market: { kind: "text", limit: 256, over: "cut", sql: "order_market text" },
  paymentMethod: { kind: "text", limit: 256, over: "cut", sql: "order_payment_method text" },
} as const satisfies Fields;

/** Of each of its items; columns of `items`. */
export const ITEM_FIELDS = {
  id: { kind: "text", isRequired: true, limit: 1_024, over: "hash", sql: "item_id text" },
  name: { kind: "text", limit: 1_024, over: "cut", sql: "name text" },
  brand: { kind: "text", limit: 1_024, over: "cut", sql: "brand text" },
  category: { kind: "text", limit: 1_024, over: "cut", sql: "category text" },
  variant: { kind: "text", limit: 1_024, over: "cut", sql: "variant text" },
  priceMicros: { ...AMOUNT, isRequired: true, sql: "price_micros bigint" },
  quantityMicros: {
    ...{ kind: "micros", least: 1n, most: MAX_QUANTITY_MICROS },
    isRequired: true,
    sql: "quantity_micros bigint",
  },
  listId: { kind: "text", limit: 1_024, over: "cut", sql: "list_id text" },
  listPosition: { kind: "u32", most: MAX_POSITION, sql: "list_position integer" },
  promotionId: { kind: "text", limit: 1_024, over: "cut", sql: "promotion_id text" },
  discountMicros: { ...AMOUNT, sql: "discount_micros bigint" },
  costMicros: { ...COST, sql: "cost_micros bigint" },
} as const satisfies Fields;

export type EventFields = typeof EVENT_FIELDS;
export type OrderFields = typeof ORDER_FIELDS;
export type ItemFields = typeof ITEM_FIELDS;

/** Names of the fields that are held in one of some ways. */
export type NameOf<F extends Fields, K extends Kind = Kind> = {
  [N in keyof F & string]: F[N]["kind"] extends K ? N : never;
}[keyof F & string];

/** A table's fields in their order, each with its name. */
export function fieldList<F extends Fields>(fields: F): readonly (Field & { readonly name: NameOf<F> })[] {
  return Object.entries(fields).map(([name, field]) => ({ name: name as NameOf<F>, ...field }));
}

/** Names of the fields of some kinds, in their order. */
export function namesOf<F extends Fields, const K extends Kind>(fields: F, ...kinds: K[]): NameOf<F, K>[] {
  const found = fieldList(fields).filter(({ kind }) => kinds.includes(kind as K));
  return found.map(({ name }) => name as string as NameOf<F, K>);
}

/** A name with underscores, as .proto files, Parquet and messages have it. */
export function underscored(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
