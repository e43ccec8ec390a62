import type { EventBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason as Reason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import {
  type Check,
  MAX_AMOUNT_MICROS,
  MAX_ITEMS_OF_EVENT,
  MAX_QUANTITY_MICROS,
  problem,
} from "./batch-limits.ts";
import { asU32 } from "./columns.ts";
import { ABSENT } from "./dictionary.ts";
import { outsideI64, outsideU32 } from "./scan.ts";
import type { BatchProblem } from "./seal.ts";

/** A column of numbers and their range. */
type Numbers =
  | { readonly width: 4; readonly text: false; readonly least: number; readonly most: number }
  | { readonly width: 8; readonly text: false; readonly least: bigint; readonly most: bigint };

type Kind = Numbers | typeof U32_TEXT;

const U32_TEXT = { width: 4, text: true } as const;
const AMOUNT = { width: 8, text: false, least: 0n, most: MAX_AMOUNT_MICROS } as const;

/** The side messages: their columns, with the first of them giving the number of entries. */
const SIDES = {
  properties: { key: U32_TEXT, value: U32_TEXT },
  orders: {
    id: U32_TEXT,
    revenueMicros: AMOUNT,
    taxMicros: AMOUNT,
    shippingMicros: AMOUNT,
    discountMicros: AMOUNT,
    currency: U32_TEXT,
    coupon: U32_TEXT,
    isRefund: { width: 4, text: false, least: 0, most: 1 },
    refundId: U32_TEXT,
  },
  items: {
    id: U32_TEXT,
    name: U32_TEXT,
    brand: U32_TEXT,
    category: U32_TEXT,
    variant: U32_TEXT,
    priceMicros: AMOUNT,
    quantityMicros: { width: 8, text: false, least: 1n, most: MAX_QUANTITY_MICROS },
  },
} as const;

/** Columns in which every entry must have a value. */
const SIDE_REQUIRED = {
  properties: ["key"],
  orders: ["id", "revenueMicros"],
  items: ["id", "priceMicros", "quantityMicros"],
};

/** Checks orders, items and properties against the rows and the dictionary. */
export const checkSides: Check = (batch) => {
  for (const side of ["properties", "orders", "items"] as const) {
    const columns = batch[side] as Record<string, Uint8Array> | undefined;
    if (columns === undefined) continue;
    const found = checkSideRows(side, columns.row!, batch.rows) ?? checkSideColumns(side, columns, batch);
    if (found !== undefined) return found;
  }
  return undefined;
};

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
  side: keyof typeof SIDES,
  columns: Record<string, Uint8Array>,
  batch: EventBatch,
): BatchProblem | undefined {
  const entries = columns.row!.length >>> 2;
  const size = batch.dictionaryEnds.length >>> 2;
  for (const [name, kind] of Object.entries<Kind>(SIDES[side])) {
    const { width, text } = kind;
    const bytes = columns[name]!;
    const required = SIDE_REQUIRED[side].includes(name);
    if (bytes.length !== entries * width && (required || bytes.length !== 0)) {
      return problem(
        Reason.COLUMN_LENGTH,
        `${side}.${name}: ${bytes.length} bytes for ${entries} values of ${width}`,
      );
    }
    const found = text ? checkSideText(bytes, size, required) : checkSideValue(bytes, kind);
    if (found !== undefined)
      return problem(text ? Reason.INDEX : Reason.VALUE_RANGE, `${side}.${name}: ${found}`);
  }
  return undefined;
}

function checkSideText(bytes: Uint8Array, size: number, required: boolean): string | undefined {
  const found = outsideU32(bytes, required ? 1 : ABSENT, size);
  if (found === undefined) return undefined;
  return found.value === ABSENT
    ? "is absent in an entry"
    : `index ${found.value}, the dictionary has ${size} entries`;
}

function checkSideValue(bytes: Uint8Array, { width, least, most }: Numbers): string | undefined {
  const found = width === 4 ? outsideU32(bytes, least, most) : outsideI64(bytes, least, most);
  return found && `${found.value} is outside of ${least} to ${most}`;
}
