import type { BatchView } from "../event/batch-view.ts";
import type { EventColumns, ItemEntries, OrderEntries, PropertyEntries } from "../store/event-columns.ts";
import { PROCESSOR_VERSION } from "./steps/process.ts";
import type { Derived } from "./steps/step.ts";

/** A batch and what was derived from it, as storage takes them: views, no copies. */
export function toColumns(
  batch: BatchView,
  derived: Derived,
  rollupStarts: ReadonlyMap<number, number>,
): EventColumns {
  return {
    rows: batch.rows,
    texts: batch.dictionary,
    merchantIds: batch.merchantIds,
    time: derived.time,
    receivedTime: batch.receivedTime,
    eventIds: batch.ids.bytes,
    keyTimes: batch.ids.keyTimes,
    visitors: derived.visitors,
    visitorsBefore: derived.visitorsBefore,
    visitorsAfter: derived.visitorsAfter,
    sessions: derived.sessions,
    sessionless: derived.sessionless,
    processorVersion: PROCESSOR_VERSION,
    isBot: derived.isBot,
    timeQuality: derived.timeQuality,
    inRollups: inRollups(batch, derived, rollupStarts),
    bot: derived.bot,
    device: derived.device,
    place: derived.place,
    source: derived.source,
    page: derived.page,
    name: batch.text("name"),
    url: batch.text("url"),
    referrer: batch.text("referrer"),
    userAgent: batch.text("userAgent"),
    ip: batch.text("ip"),
    language: batch.text("language"),
    screenWidth: batch.screenWidth,
    screenHeight: batch.screenHeight,
    properties: properties(batch),
    orders: orders(batch, derived),
    items: items(batch),
  };
}

/** 1 for a row that belongs into the rollups, as the column of events says; undefined: none does. */
function inRollups(
  { rows, merchantIds }: BatchView,
  { time }: Derived,
  starts: ReadonlyMap<number, number>,
): Uint8Array | undefined {
  if (starts.size === 0) return undefined;
  const marks = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = starts.get(merchantIds[row]!);
    if (start !== undefined && time.get(row) >= start) marks[row] = 1;
  }
  return marks;
}

function properties(batch: BatchView): PropertyEntries | undefined {
  const row = batch.property("row");
  if (row === undefined) return undefined;
  return { row, key: batch.property("key")!, value: batch.property("value") };
}

function orders(
  batch: BatchView,
  { orderKinds, isForeign, convertedRevenue }: Derived,
): OrderEntries | undefined {
  const row = batch.order("row");
  if (row === undefined) return undefined;
  return {
    row,
    id: batch.order("id")!,
    revenue: batch.orderMicros("revenueMicros")!,
    tax: batch.orderMicros("taxMicros"),
    shipping: batch.orderMicros("shippingMicros"),
    discount: batch.orderMicros("discountMicros"),
    currency: batch.order("currency"),
    coupon: batch.order("coupon"),
    refundId: batch.order("refundId"),
    kind: orderKinds,
    isForeign,
    converted: convertedRevenue,
  };
}

function items(batch: BatchView): ItemEntries | undefined {
  const row = batch.item("row");
  if (row === undefined) return undefined;
  return {
    row,
    id: batch.item("id")!,
    name: batch.item("name"),
    brand: batch.item("brand"),
    category: batch.item("category"),
    variant: batch.item("variant"),
    price: batch.itemMicros("priceMicros")!,
    quantity: batch.itemMicros("quantityMicros")!,
  };
}
