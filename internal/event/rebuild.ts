import type { EventBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchBuilder } from "./batch-builder.ts";
import { ID_BYTES, writeDerivedId } from "./event-id.ts";
import { type PlainColumns, type PlainItem, readProperties } from "./plain-columns.ts";
import { TEXT_COLUMNS } from "./text-columns.ts";

/** Where a batch's rows stand in columns that hold several batches. */
export interface RowRange {
  readonly first: number;
  readonly rows: number;
}

/**
 * Makes a batch's columns again from plain ones. Its rows are what was appended; their layout (order of the
 * dictionary, absent columns) may differ. Ids that were derived from the batch id are derived again.
 */
export function rebuildBatch(
  columns: PlainColumns,
  batchId: Uint8Array,
  { first, rows }: RowRange,
): EventBatch {
  const builder = new BatchBuilder(rows);
  const derived = new Uint8Array(ID_BYTES);
  for (let row = 0; row < rows; row++) {
    const at = first + row;
    builder.setTimes(columns.receivedTime[at]!, columns.clientTime[at]!, columns.sentTime[at] ?? 0);
    writeDerivedId(batchId, row, derived, 0);
    const id = columns.eventId[at]!;
    if (Buffer.compare(id, derived) !== 0) builder.eventIds.set(id, row * ID_BYTES);
    for (const name of TEXT_COLUMNS) {
      builder.texts[name][row] = builder.dictionary.add(columns[name][at] ?? "");
    }
    builder.screenWidth[row] = columns.screenWidth[at] ?? 0;
    builder.screenHeight[row] = columns.screenHeight[at] ?? 0;
    addSides(builder, columns, at);
    builder.commit(columns.merchantId[at]!);
  }
  return builder.take();
}

function addSides(builder: BatchBuilder, columns: PlainColumns, at: number): void {
  const row = builder.rows;
  const index = (text: string | undefined) => builder.dictionary.add(text ?? "");
  for (const [key, value] of readProperties(columns.properties[at] ?? "")) {
    builder.properties.append({ row, key: index(key), value: index(value) });
  }
  if (columns.orderId[at] !== undefined) {
    builder.orders.append({
      row,
      id: index(columns.orderId[at]),
      revenueMicros: columns.orderRevenueMicros[at] ?? 0n,
      taxMicros: columns.orderTaxMicros[at] ?? 0n,
      shippingMicros: columns.orderShippingMicros[at] ?? 0n,
      discountMicros: columns.orderDiscountMicros[at] ?? 0n,
      currency: index(columns.orderCurrency[at]),
      coupon: index(columns.orderCoupon[at]),
      isRefund: columns.orderIsRefund[at] ? 1 : 0,
      refundId: index(columns.refundId[at]),
    });
  }
  for (const item of columns.items[at] ?? []) addItem(builder, item);
}

function addItem(builder: BatchBuilder, item: PlainItem): void {
  const index = (text: string | undefined) => builder.dictionary.add(text ?? "");
  builder.items.append({
    row: builder.rows,
    id: index(item.id),
    name: index(item.name),
    brand: index(item.brand),
    category: index(item.category),
    variant: index(item.variant),
    priceMicros: item.priceMicros,
    quantityMicros: item.quantityMicros,
  });
}
