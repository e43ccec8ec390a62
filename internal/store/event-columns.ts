import type { EventFields, Fields, ItemFields, OrderFields, Wide } from "../event-schema/fields.ts";

/** What storage needs to know of the events that it writes: columns, not messages. */

/** 64-bit values, whole numbers within ±2^53. */
export interface Int64Values {
  readonly length: number;
  get(index: number): number;
}

/** 64-bit values that may lie beyond 2^53: micros. */
export interface MicrosValues {
  readonly length: number;
  get(index: number): bigint;
}

/** The texts that index columns refer to. Index 0 means absent. */
export interface Texts {
  /** The UTF-8 bytes of all texts; that of index i (not 0) is from start(i) to end(i). */
  readonly source: Uint8Array;
  start(index: number): number;
  end(index: number): number;
  text(index: number): string | undefined;
}

/** Indexes into the texts; undefined: absent in every row. */
export type TextIndexes = Uint32Array | undefined;

/** The columns of raw fields by their names, one value a row (order, item); undefined: absent in all of them. */
export type FieldValues<F extends Fields> = {
  readonly [N in keyof F & string]: F[N]["kind"] extends Wide
    ? MicrosValues | undefined
    : F[N]["kind"] extends "text"
      ? TextIndexes
      : Uint16Array | Uint32Array | undefined;
};

/**
 * Texts that several columns derive from one key, such as browser and OS from the user agent: row r has those of
 * `texts[keys[r]]`, in the order of the columns. No keys, and a key without texts: null in all of the columns.
 */
export interface DerivedTexts {
  readonly keys: Uint32Array | undefined;
  readonly texts: readonly (readonly (string | null)[] | undefined)[];
}

/** The columns that are derived together, as `events` and DerivedTexts have them. */
export const DEVICE_COLUMNS = ["browser", "browser_version", "os", "device_type", "os_version"] as const;
export const BOT_COLUMNS = ["bot_name", "bot_kind", "bot_operator"] as const;
export const PLACE_COLUMNS = ["country", "region", "city"] as const;
export const SOURCE_COLUMNS = [
  "channel",
  "source",
  "medium",
  "campaign",
  "campaign_id",
  "campaign_term",
  "campaign_content",
  "click_id",
  "referrer_host",
] as const;
export const PAGE_COLUMNS = ["page", "host"] as const;

/** What an event's time is: the client's, the client's corrected by its clock's error, or the received time. */
export const TimeQuality = { CLIENT: 0, CORRECTED: 1, RECEIVED: 2 } as const;

/** What the order of an event is: see the column order_kind. */
export const OrderKind = { MENTIONED: 0, ORDER: 1, REPEAT: 2, REFUND: 3, REFUND_REPEAT: 4 } as const;

/** Whether an order's refunds give back more than its total: see the column refund_excess. */
export const Excess = { UNKNOWN: 0, WITHIN: 1, OVER: 2 } as const;

/** Stands for an amount that is not known. */
export const UNKNOWN_MICROS = -(2n ** 63n);

/** Events to be written, one value a row in each column. Times are ms since 1970-01-01 UTC. */
export interface EventColumns {
  readonly rows: number;
  readonly texts: Texts;
  readonly merchantIds: Uint32Array;
  readonly time: Int64Values;
  readonly receivedTime: Int64Values;
  /** 16 bytes a row. */
  readonly eventIds: Uint8Array;
  /**
   * The time that each id is looked up under: a function of the id alone, so that every copy of an event meets
   * the same key whatever its times are. Ms since 1970-01-01 UTC, 0 for an id without a time, NaN for an id
   * that was derived from the batch: it cannot come again but with its batch.
   */
  readonly keyTimes: Float64Array;
  /**
   * Low and high word of a 64-bit hash, a pair a row. While rows are stored, those of visitors without an id who go
   * on with a session of the day before get that visitor.
   */
  readonly visitors: Uint32Array;
  /** Likewise of the person's hash, 0 where not known; undefined: in no row. */
  readonly users: Uint32Array | undefined;
  /** Likewise who a visitor without an id was on the day before (UTC); 0 for one with an id, who is the same. */
  readonly visitorsBefore: Uint32Array;
  /** Likewise on the day after, where the row's session may go on there; else 0. */
  readonly visitorsAfter: Uint32Array;
  readonly sessions: Uint32Array;
  /** 1 in a row whose session is not known: it is found, and filled in, while the row is stored. */
  readonly sessionless: Uint8Array;
  readonly processorVersion: number;
  /** 1 for a bot, 0 for a person. */
  readonly isBot: Uint8Array;
  /** Values of TimeQuality. */
  readonly timeQuality: Uint8Array;
  /** Values of Stage, ORDER and REFUND by the event's order whether that counts or not. */
  readonly stages: Uint8Array;
  /** 1 in a row of a merchant with rollups, from their start on; undefined: in none. */
  readonly inRollups: Uint8Array | undefined;
  /** Of bots alone. */
  readonly bot: DerivedTexts;
  readonly device: DerivedTexts;
  readonly place: DerivedTexts;
  readonly source: DerivedTexts;
  readonly page: DerivedTexts;
  readonly fields: FieldValues<EventFields>;
  readonly properties: PropertyEntries | undefined;
  readonly orders: OrderEntries | undefined;
  readonly items: ItemEntries | undefined;
}

/** Properties, ordered by row. */
export interface PropertyEntries {
  readonly row: Uint32Array;
  readonly key: Uint32Array;
  readonly value: TextIndexes;
  /** Values of PropertyKind; undefined: all are texts. */
  readonly kind: Uint32Array | undefined;
  /** The numbers among them. */
  readonly number: Float64Array | undefined;
}

/** Amounts of an order beside its revenue that are converted. */
export const ORDER_PARTS = ["tax", "shipping", "discount", "cost"] as const;
export type OrderPart = (typeof ORDER_PARTS)[number];

/** What an event does with its items: see the column `stage`. ORDER and REFUND of those that count. */
export const Stage = { OTHER: 0, LIST: 1, VIEW: 2, CART: 3, CHECKOUT: 4, ORDER: 5, REFUND: 6 } as const;

/** Orders, at most one a row, ordered by row. Amounts are micros. */
export interface OrderEntries {
  readonly row: Uint32Array;
  readonly fields: FieldValues<OrderFields>;
  /** Values of OrderKind but REPEAT and REFUND_REPEAT, which storage finds out. */
  readonly kind: Uint8Array;
  /** 1 where the amounts are in another currency than the merchant's. */
  readonly isForeign: Uint8Array;
  /** Low and high word of the customer's hash, 0 where not known; undefined: of none. */
  readonly customers: Uint32Array | undefined;
  /** The parts of an order in the merchant's currency, one an order; UNKNOWN_MICROS where not known. */
  readonly parts: Readonly<Record<OrderPart, BigInt64Array>>;
  /** What it adds to the merchant's revenue, in its currency: less than 0 for a refund; UNKNOWN_MICROS where unknown. */
  readonly converted: BigInt64Array;
}

/** Items, ordered by row. */
export interface ItemEntries {
  readonly row: Uint32Array;
  readonly fields: FieldValues<ItemFields>;
  /**
   * Price less discount, by quantity, in the merchant's currency; below 0 of a refund; UNKNOWN_MICROS where not known, and
   * of what neither orders nor gives back.
   */
  readonly revenue: BigInt64Array;
}
