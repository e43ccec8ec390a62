import { asI32, asI64 } from "./columns.ts";

/**
 * Scans of whole columns, written so that the usual case, nothing wrong, is one pass without a branch: the
 * sign bits of all differences are gathered, and only when one is set is the culprit looked for.
 */

/** The first value outside of [low, high], or undefined. 0 <= low <= high < 2^31; values are u32. */
export function outsideU32(bytes: Uint8Array, low: number, high: number): Found | undefined {
  const values = asI32(bytes);
  let signs = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // Where one difference overflows 32 bits, the other one is negative.
    signs |= (value - low) | (high - value);
  }
  if (signs >= 0) return undefined;
  const at = values.findIndex((value) => value < low || value > high);
  return { at, value: values[at]! >>> 0 };
}

/** The first value outside of [low, high], or undefined. Both within ±2^53; values are i64. */
export function outsideI64(bytes: Uint8Array, low: number, high: number): Found | undefined {
  const words = asI32(bytes);
  // High words strictly between those of the bounds need no look at the low ones.
  const least = Math.floor(low / 0x1_0000_0000) + (low % 0x1_0000_0000 === 0 ? 0 : 1);
  const most = Math.floor(high / 0x1_0000_0000) - 1;
  let signs = 0;
  for (let i = 1; i < words.length; i += 2) {
    const word = words[i]!;
    signs |= (word - least) | (most - word);
  }
  return signs >= 0 ? undefined : outsideI64Exactly(bytes, low, high);
}

/** A value and its position in a column. */
export interface Found {
  readonly at: number;
  readonly value: number;
}

function outsideI64Exactly(bytes: Uint8Array, low: number, high: number): Found | undefined {
  const column = asI64(bytes);
  for (let at = 0; at < column.length; at++) {
    const value = column.get(at);
    if (!(value >= low && value <= high)) return { at, value };
  }
  return undefined;
}
