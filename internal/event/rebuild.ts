import { type Fields, ITEM_FIELDS, ORDER_FIELDS } from "../event-schema/fields.ts";
import { orderKey, type PlainColumns } from "../event-schema/plain.ts";
import type { EventBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchBuilder, knownOf, NUMBER_NAMES, TEXT_NAMES } from "./batch-builder.ts";
import { ID_BYTES, writeDerivedId } from "./event-id.ts";
import { readProperties } from "./plain-columns.ts";
import type { Entry } from "./side-columns.ts";

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
    for (const name of TEXT_NAMES) {
      builder.texts[name][row] = builder.dictionary.add(columns[name][at] ?? "");
    }
    for (const name of NUMBER_NAMES) builder.numbers[name][row] = Number(columns[name][at] ?? 0);
    addSides(builder, columns, at);
    builder.commit(columns.merchantId[at]!);
  }
  return builder.take();
}

function addSides(builder: BatchBuilder, columns: PlainColumns, at: number): void {
  const row = builder.rows;
  for (const [key, value] of readProperties(columns.properties[at] ?? "")) {
    builder.addProperty(row, key, value);
  }
  if (columns.orderId[at] !== undefined) {
    builder.orders.append(entryOf(builder, ORDER_FIELDS, (name) => columns[orderKey(name)][at]));
  }
  for (const item of columns.items[at] ?? []) {
    builder.items.append(entryOf(builder, ITEM_FIELDS, (name) => item[name]));
  }
}

/** An entry of the open row, of plain values. */
function entryOf<F extends Fields>(
  { dictionary, rows }: BatchBuilder,
  fields: F,
  read: (name: keyof F & string) => unknown,
): Entry<F> {
  const entry: Record<string, unknown> = { row: rows };
  for (const name in fields) {
    const { kind } = fields[name]!;
    const value = read(name);
    if (kind === "text") entry[name] = dictionary.add((value ?? "") as string);
    else if (kind === "known") entry[name] = knownOf(value as bigint | undefined);
    else entry[name] = kind === "micros" ? (value ?? 0n) : Number(value ?? 0);
  }
  return entry as Entry<F>;
}
