import type { BatchView } from "../../event/batch-view.ts";
import { I64Column } from "../../event/columns.ts";
import { type DerivedTexts, type OrderPart, UNKNOWN_MICROS } from "../../store/event-columns.ts";
import type { MerchantSites } from "../sites/own-site.ts";

/** A place on earth as far as it is known: ISO 3166-1 alpha-2, and names in English. */
export interface Place {
  readonly country: string | null;
  readonly region: string | null;
  readonly city: string | null;
}

/** What steps may know beside the batch. */
export interface StepContext {
  /** ISO 4217 code of each merchant in the batch that has an order. */
  readonly currencies: ReadonlyMap<number, string>;
  /** Units of a currency that one euro was on a UTC day (days since 1970-01-01); undefined where unknown. */
  readonly rate: (currency: string, day: number) => number | undefined;
  /** 32 secret bytes for each UTC day of which a visitor without an id may need them. */
  readonly salts: ReadonlyMap<number, Uint8Array>;
  readonly placeOf: (address: string) => Place | undefined;
  /** Merchants with rollups, and from which time of events on, ms since 1970-01-01 UTC. */
  readonly rollupStarts: ReadonlyMap<number, number>;
  /** What merchants say of their own domains and of referrers; most say nothing. */
  readonly merchantSites: ReadonlyMap<number, MerchantSites>;
}

/** Texts derived from a key, while they are being found. */
export interface DerivingTexts extends DerivedTexts {
  keys: Uint32Array | undefined;
  readonly texts: (readonly (string | null)[] | undefined)[];
}

/** What the steps derive from a batch, one value a row or, of orders, one an order. Each step fills its own part. */
export interface Derived {
  /** Ms since 1970-01-01 UTC. */
  readonly time: I64Column;
  /** The words of `time`. */
  readonly timeWords: Uint32Array;
  /** Values of TimeQuality. */
  readonly timeQuality: Uint8Array;
  /** Low and high word of the visitor's 64-bit hash, a pair a row. */
  readonly visitors: Uint32Array;
  /** Likewise of the person, 0 where none is told; undefined: in no row. */
  users: Uint32Array | undefined;
  /** Likewise who a visitor without an id is on the day before; 0 of a visitor with one. */
  readonly visitorsBefore: Uint32Array;
  /** And on the day after, where the event is so late on its day that its session may go on there; else 0. */
  readonly visitorsAfter: Uint32Array;
  /** Likewise of the session, where the SDK names one. */
  readonly sessions: Uint32Array;
  /** 1 where it names none: storage finds the session by the visitor's activity. */
  readonly sessionless: Uint8Array;
  /** 1 for a bot. */
  readonly isBot: Uint8Array;
  /** Of bots alone. */
  readonly bot: DerivingTexts;
  readonly device: DerivingTexts;
  readonly place: DerivingTexts;
  readonly source: DerivingTexts;
  readonly page: DerivingTexts;
  /** Values of Stage. */
  readonly stages: Uint8Array;
  /** Low and high word of the customer's hash, a pair an order; undefined: of none. */
  customers: Uint32Array | undefined;
  /** Parts of orders in the merchant's currency, micros; UNKNOWN_MICROS where not known. */
  readonly convertedParts: Readonly<Record<OrderPart, BigInt64Array>>;
  /** What items add to the merchant's revenue, one an item, likewise. */
  readonly itemRevenue: BigInt64Array;
  /** Values of OrderKind. */
  readonly orderKinds: Uint8Array;
  /** 1 for an order whose amounts are in another currency than the merchant's. */
  readonly isForeign: Uint8Array;
  /** What each order adds to the merchant's revenue, micros of its currency; UNKNOWN_MICROS where not known. */
  readonly convertedRevenue: BigInt64Array;
}

/**
 * Derives something from the raw facts of a batch. A step is pure: the same batch and context give the same
 * result. Whoever changes what a step derives raises its version.
 */
export interface Step {
  readonly name: string;
  /** Whole number from 1. */
  readonly version: number;
  run(batch: BatchView, derived: Derived, context: StepContext): void;
}

function unknown(length: number): BigInt64Array {
  return new BigInt64Array(length).fill(UNKNOWN_MICROS);
}

/** Room for what the steps will derive from a batch. */
export function emptyDerived(batch: BatchView): Derived {
  const { rows } = batch;
  const orders = batch.order("row")?.length ?? 0;
  const timeWords = new Uint32Array(2 * rows);
  const texts = () => ({ keys: undefined, texts: [] });
  return {
    time: new I64Column(timeWords),
    timeWords,
    timeQuality: new Uint8Array(rows),
    visitors: new Uint32Array(2 * rows),
    visitorsBefore: new Uint32Array(2 * rows),
    visitorsAfter: new Uint32Array(2 * rows),
    sessions: new Uint32Array(2 * rows),
    sessionless: new Uint8Array(rows),
    isBot: new Uint8Array(rows),
    bot: texts(),
    device: texts(),
    place: texts(),
    source: texts(),
    page: texts(),
    users: undefined,
    stages: new Uint8Array(rows),
    customers: undefined,
    convertedParts: {
      tax: unknown(orders),
      shipping: unknown(orders),
      discount: unknown(orders),
      cost: unknown(orders),
    },
    itemRevenue: unknown(batch.item("row")?.length ?? 0),
    orderKinds: new Uint8Array(orders),
    isForeign: new Uint8Array(orders),
    convertedRevenue: new BigInt64Array(orders),
  };
}
