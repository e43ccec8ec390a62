/**
 * A row of a batch as tests compare it: what is absent is left out (empty texts, zero amounts that are not
 * required, no screen, no order). Times are ms since 1970-01-01 UTC, amounts micros.
 */
export interface PlainRow {
  merchantId: number;
  /** As a UUID is written, derived ones included. */
  eventId: string;
  receivedTime: number;
  clientTime: number;
  sentTime?: number;
  name: string;
  visitorId?: string;
  sessionId?: string;
  url?: string;
  referrer?: string;
  userAgent?: string;
  ip?: string;
  language?: string;
  screenWidth?: number;
  screenHeight?: number;
  userId?: string;
  title?: string;
  consent?: number;
  activeMs?: number;
  scrollPercent?: number;
  sdk?: string;
  passive?: number;
  cartId?: string;
  checkoutId?: string;
  properties?: Record<string, string | number | boolean>;
  order?: PlainOrder;
  items?: PlainItem[];
}

export interface PlainOrder {
  id: string;
  revenueMicros: bigint;
  taxMicros?: bigint;
  shippingMicros?: bigint;
  discountMicros?: bigint;
  currency?: string;
  coupon?: string;
  isRefund?: 1;
  refundId?: string;
  customerId?: string;
  /** As the batch has it: micros plus one. */
  costMicros?: bigint;
  market?: string;
  paymentMethod?: string;
}

export interface PlainItem {
  id: string;
  name?: string;
  brand?: string;
  category?: string;
  variant?: string;
  priceMicros: bigint;
  quantityMicros: bigint;
  listId?: string;
  listPosition?: number;
  promotionId?: string;
  discountMicros?: bigint;
  costMicros?: bigint;
}

/** A record without the entries that stand for "absent"; those named are kept whatever they hold. */
export function present<T>(record: Record<string, unknown>, ...keep: string[]): T {
  const entries = Object.entries(record).filter(
    ([name, value]) =>
      keep.includes(name) || (value !== undefined && value !== "" && value !== 0 && value !== 0n),
  );
  return Object.fromEntries(entries) as T;
}
