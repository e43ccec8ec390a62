import { crc32, zstdDecompressSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import {
  Codec,
  type EventBatch,
  EventBatchSchema,
  type SealedBatch,
  SealedBatchSchema,
} from "../../gen/footfall/event/v1/batch_pb.js";
import { type PlainItem, type PlainOrder, type PlainRow, present } from "./plain-row.ts";

/**
 * A second reader of batches, written from docs/batch-format.md and sharing nothing with the product's: the
 * generated messages, DataView, and one object a row. For tests.
 * @throws Error for a payload that does not match its checksum.
 */
export function readSealed(bytes: Uint8Array): { sealed: SealedBatch; batch: EventBatch; rows: PlainRow[] } {
  const sealed = fromBinary(SealedBatchSchema, bytes);
  if (crc32(sealed.payload) !== sealed.checksum) throw new Error("checksum");
  const payload = sealed.codec === Codec.ZSTD ? zstdDecompressSync(sealed.payload) : sealed.payload;
  const batch = fromBinary(EventBatchSchema, payload);
  const text = texts(batch);
  const rows = Array.from({ length: batch.rows }, (_, row) => readRow(sealed, batch, text, row));
  return { sealed, batch, rows };
}

type Text = (column: Uint8Array, at: number) => string;
const u32 = (column: Uint8Array, at: number) =>
  column.length === 0 ? 0 : viewOf(column).getUint32(4 * at, true);
const u16 = (column: Uint8Array, at: number) =>
  column.length === 0 ? 0 : viewOf(column).getUint16(2 * at, true);
const i64 = (column: Uint8Array, at: number) =>
  column.length === 0 ? 0n : viewOf(column).getBigInt64(8 * at, true);
const time = (column: Uint8Array, at: number) => Number(i64(column, at));

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function texts({ dictionary, dictionaryEnds }: EventBatch): Text {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return (column, at) => {
    const index = u32(column, at);
    if (index === 0) return "";
    const start = index === 1 ? 0 : u32(dictionaryEnds, index - 2);
    return utf8.decode(dictionary.subarray(start, u32(dictionaryEnds, index - 1)));
  };
}

function readRow({ batchId }: SealedBatch, batch: EventBatch, text: Text, row: number): PlainRow {
  const properties = entriesOf(batch.properties?.row, row).map((at) => [
    text(batch.properties!.key, at),
    property(batch, text, at),
  ]);
  const orders = entriesOf(batch.orders?.row, row).map((at) => readOrder(batch, text, at));
  const items = entriesOf(batch.items?.row, row).map((at) => readItem(batch, text, at));
  return present(
    {
      merchantId: u32(batch.merchantId, row),
      eventId: readId(batchId, batch.eventId, row),
      receivedTime: time(batch.receivedTime, row),
      clientTime: time(batch.clientTime, row),
      sentTime: time(batch.sentTime, row),
      name: text(batch.name, row),
      visitorId: text(batch.visitorId, row),
      sessionId: text(batch.sessionId, row),
      url: text(batch.url, row),
      referrer: text(batch.referrer, row),
      userAgent: text(batch.userAgent, row),
      ip: text(batch.ip, row),
      language: text(batch.language, row),
      screenWidth: u16(batch.screenWidth, row),
      screenHeight: u16(batch.screenHeight, row),
      userId: text(batch.userId, row),
      title: text(batch.title, row),
      consent: u32(batch.consent, row),
      activeMs: u32(batch.activeMs, row),
      scrollPercent: u32(batch.scrollPercent, row),
      sdk: text(batch.sdk, row),
      passive: u32(batch.passive, row),
      cartId: text(batch.cartId, row),
      checkoutId: text(batch.checkoutId, row),
      properties: properties.length === 0 ? undefined : Object.fromEntries(properties),
      order: orders[0],
      items: items.length === 0 ? undefined : items,
    },
    "receivedTime",
    "clientTime",
  );
}

function property({ properties }: EventBatch, text: Text, at: number): string | number | boolean {
  const kind = u32(properties!.kind, at);
  if (kind === 0) return text(properties!.value, at);
  if (kind !== 1) return kind === 3;
  return properties!.number.length === 0 ? 0 : viewOf(properties!.number).getFloat64(8 * at, true);
}

function readOrder({ orders }: EventBatch, text: Text, at: number): PlainOrder {
  return present(
    {
      id: text(orders!.id, at),
      revenueMicros: i64(orders!.revenueMicros, at),
      taxMicros: i64(orders!.taxMicros, at),
      shippingMicros: i64(orders!.shippingMicros, at),
      discountMicros: i64(orders!.discountMicros, at),
      currency: text(orders!.currency, at),
      coupon: text(orders!.coupon, at),
      isRefund: u32(orders!.isRefund, at),
      refundId: text(orders!.refundId, at),
      customerId: text(orders!.customerId, at),
      costMicros: i64(orders!.costMicros, at),
      market: text(orders!.market, at),
      paymentMethod: text(orders!.paymentMethod, at),
    },
    "revenueMicros",
  );
}

function readItem({ items }: EventBatch, text: Text, at: number): PlainItem {
  return present(
    {
      id: text(items!.id, at),
      name: text(items!.name, at),
      brand: text(items!.brand, at),
      category: text(items!.category, at),
      variant: text(items!.variant, at),
      priceMicros: i64(items!.priceMicros, at),
      quantityMicros: i64(items!.quantityMicros, at),
      listId: text(items!.listId, at),
      listPosition: u32(items!.listPosition, at),
      promotionId: text(items!.promotionId, at),
      discountMicros: i64(items!.discountMicros, at),
      costMicros: i64(items!.costMicros, at),
    },
    "priceMicros",
  );
}

/** Positions in a side message's columns that belong to a row. */
function entriesOf(rows: Uint8Array | undefined, row: number): number[] {
  const all = Array.from({ length: (rows?.length ?? 0) / 4 }, (_, at) => at);
  return all.filter((at) => u32(rows!, at) === row);
}

function readId(batchId: Uint8Array, column: Uint8Array, row: number): string {
  const given = Buffer.from(column.subarray(16 * row, 16 * row + 16));
  const id = given.some((byte) => byte !== 0) ? given : Buffer.from(batchId);
  if (id !== given) id.writeUInt32BE((id.readUInt32BE(12) + row + 1) % 2 ** 32, 12);
  return id.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
