/** An item of an event, as it is stored. */
export interface Item {
  readonly id: string;
  readonly name: string | null;
  readonly brand: string | null;
  readonly category: string | null;
  readonly variant: string | null;
  readonly list: string | null;
  readonly promotion: string | null;
  /** That of its event. */
  readonly stage: number;
  /** Millionths of one. */
  readonly quantityMicros: bigint;
  /** Below zero for what was given back; null: in no sum. */
  readonly revenueMicros: bigint | null;
}

/** The order or refund of an event. Amounts are micros of the merchant's currency. */
export interface Order {
  /** 0 mentioned, 1 an order, 2 a repeat, 3 a refund, 4 a repeat of it. */
  readonly kind: number;
  /** Below zero for refunds; null: not converted, or in no sum. */
  readonly revenueMicros: bigint | null;
  readonly taxMicros: bigint | null;
  readonly shippingMicros: bigint | null;
  readonly discountMicros: bigint | null;
  readonly coupon: string | null;
  readonly currency: string | null;
  readonly market: string | null;
  readonly paymentMethod: string | null;
}

/** What brought an event. */
export interface Touch {
  readonly channel: string;
  readonly source: string | null;
  readonly medium: string | null;
  readonly campaign: string | null;
  readonly campaignId: string | null;
  readonly campaignTerm: string | null;
  readonly campaignContent: string | null;
  readonly clickId: string | null;
}

/** An event, as far as questions look at it. */
export interface StoredEvent {
  readonly merchantId: number;
  /** A UUID in lower case. */
  readonly id: string;
  /** Ms since 1970-01-01 UTC. */
  readonly time: number;
  readonly visitor: number;
  /** Who signed in; no visitor has the same number. null: nobody. */
  readonly user: number | null;
  readonly session: number;
  readonly processorVersion: number;
  readonly name: string;
  /** Texts of dimensions by the dimension's name. */
  readonly texts: Readonly<Partial<Record<EventText, string | null>>>;
  /** Width and height; null: unknown. */
  readonly screen: readonly [number, number] | null;
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  readonly isBot: boolean;
  readonly isPassive: boolean;
  readonly activeMs: number | null;
  readonly scrollPercent: number | null;
  /** 1 list, 2 view, 3 cart, 4 checkout, 5 order, 6 refund; 0 something else. */
  readonly stage: number;
  readonly touch: Touch | null;
  readonly order: Order | null;
  readonly items: readonly Item[];
}

/** Dimensions that are a text of the event itself. */
export const EVENT_TEXTS = [
  "page",
  "host",
  "title",
  "referrer_host",
  "language",
  "country",
  "region",
  "city",
  "browser",
  "browser_version",
  "os",
  "os_version",
  "device_type",
  "bot_name",
  "bot_kind",
] as const;

export type EventText = (typeof EVENT_TEXTS)[number];
