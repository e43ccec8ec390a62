import { type Field, fieldList, ITEM_FIELDS, isWide, ORDER_FIELDS } from "../event-schema/fields.ts";
import { PropertyKind } from "../event-schema/property.ts";
import type { EventBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason as Reason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { type Check, MAX_ITEMS_OF_EVENT, problem } from "./batch-limits.ts";
import { asU32 } from "./columns.ts";
import { ABSENT } from "./dictionary.ts";
import { outsideI64, outsideU32 } from "./scan.ts";
import type { BatchProblem } from "./seal.ts";

/** The side messages: their columns beside `row`, which gives the number of entries. */
const SIDES: Readonly<Record<string, readonly (Field & { readonly name: string })[]>> = {
  properties: [
    { name: "key", kind: "text", isRequired: true },
    { name: "value", kind: "text" },
    { name: "kind", kind: "u32", most: PropertyKind.TRUE },
  ],
  orders: fieldList(ORDER_FIELDS),
  items: fieldList(ITEM_FIELDS),
};

/** Checks orders, items and properties against the rows and the dictionary. */
export const checkSides: Check = (batch) => {
  for (const side of ["properties", "orders", "items"] as const) {
    const columns = batch[side] as Record<string, Uint8Array> | undefined;
    if (columns === undefined) continue;
    const found =
      checkSideRows(side, columns.row!, batch.rows) ??
      checkSideColumns(side, columns, batch) ??
      (side === "properties" ? checkPropertyNumbers(columns.number!, columns.row!.length >>> 2) : undefined);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Numbers of properties: finite, which their highest bits tell. */
function checkPropertyNumbers(bytes: Uint8Array, entries: number): BatchProblem | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length !== 8 * entries) {
    const message = `properties.number: ${bytes.length} bytes for ${entries} values of 8`;
    return problem(Reason.COLUMN_LENGTH, message);
  }
  const words = asU32(bytes);
  for (let at = 1; at < words.length; at += 2) {
    if ((words[at]! & 0x7ff0_0000) !== 0x7ff0_0000) continue;
    return problem(Reason.VALUE_RANGE, `properties.number: not finite at ${at >>> 1}`);
  }
  return undefined;
}

function checkSideRows(side: string, bytes: Uint8Array, rows: number): BatchProblem | undefined {
  if (bytes.length % 4 !== 0)
    return problem(Reason.COLUMN_LENGTH, `${side}.row: ${bytes.length} bytes, must be u32 values`);
  const row = asU32(bytes);
  // Orders are at most one a row, so that their rows increase; the others never decrease.
  const step = side === "orders" ? 1 : 0;
  let least = 0;
  for (let i = 0; i < row.length; i++) {
    if (row[i]! < least || row[i]! >= rows)
      return problem(Reason.INDEX, `${side}.row: ${row[i]} at ${i} is out of order or of range`);
    least = row[i]! + step;
  }
  return side === "items" ? checkCrowd(row) : undefined;
}

/** Items are ordered by row, so that all between two of one row are that row's. */
function checkCrowd(row: Uint32Array): BatchProblem | undefined {
  for (let i = MAX_ITEMS_OF_EVENT; i < row.length; i++) {
    if (row[i] !== row[i - MAX_ITEMS_OF_EVENT]) continue;
    return problem(Reason.VALUE_RANGE, `items: more than ${MAX_ITEMS_OF_EVENT} in row ${row[i]}`);
  }
  return undefined;
}

function checkSideColumns(
  side: string,
  columns: Record<string, Uint8Array>,
  batch: EventBatch,
): BatchProblem | undefined {
  const entries = columns.row!.length >>> 2;
  const size = batch.dictionaryEnds.length >>> 2;
  for (const field of SIDES[side]!) {
    const { name, kind, isRequired = false } = field;
    const width = isWide(kind) ? 8 : 4;
    const bytes = columns[name]!;
    if (bytes.length !== entries * width && (isRequired || bytes.length !== 0)) {
      const message = `${side}.${name}: ${bytes.length} bytes for ${entries} values of ${width}`;
      return problem(Reason.COLUMN_LENGTH, message);
    }
    const isText = kind === "text";
    const found = isText ? checkSideText(bytes, size, isRequired) : checkSideValue(bytes, field);
    if (found !== undefined)
      return problem(isText ? Reason.INDEX : Reason.VALUE_RANGE, `${side}.${name}: ${found}`);
  }
  return undefined;
}

function checkSideText(bytes: Uint8Array, size: number, isRequired: boolean): string | undefined {
  const found = outsideU32(bytes, isRequired ? 1 : ABSENT, size);
  if (found === undefined) return undefined;
  return found.value === ABSENT
    ? "is absent in an entry"
    : `index ${found.value}, the dictionary has ${size} entries`;
}

function checkSideValue(bytes: Uint8Array, { kind, least = 0, most }: Field): string | undefined {
  const found = isWide(kind)
    ? outsideI64(bytes, BigInt(least), BigInt(most!))
    : outsideU32(bytes, Number(least), Number(most));
  return found && `${found.value} is outside of ${least} to ${most}`;
}
