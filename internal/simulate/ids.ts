import type { Random } from "./random.ts";

/** Four hex digits of every 16-bit number: ids are made for every event, and this is the fastest way. */
const HEX4: readonly string[] = Array.from({ length: 0x1_0000 }, (_, n) => n.toString(16).padStart(4, "0"));

function hex8(bits: number): string {
  return HEX4[bits >>> 16]! + HEX4[bits & 0xffff]!;
}

/**
 * A UUIDv7 (RFC 9562) of the given time whose 74 random bits come from `random`.
 * @param timeMs whole milliseconds since 1970, UTC, below 2^48.
 */
export function uuidV7(timeMs: number, random: Random): string {
  const high = Math.floor(timeMs / 0x1_0000);
  const a = random.uint32();
  const b = random.uint32();
  const c = random.uint32();
  const version = HEX4[0x7000 | (a & 0xfff)]!;
  const variant = HEX4[0x8000 | ((a >>> 12) & 0x3fff)]!;
  return `${hex8(high)}-${HEX4[timeMs % 0x1_0000]!}-${version}-${variant}-${HEX4[c & 0xffff]!}${hex8(b)}`;
}

/** 16 hex digits. */
export function hex16(random: Random): string {
  return hex8(random.uint32()) + hex8(random.uint32());
}

const ORDER_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A shop's order number such as "R-7K2M0QX4B1": 50 random bits, in Crockford's digits. */
export function orderNumber(random: Random): string {
  let text = "R-";
  for (let half = 0; half < 2; half++) {
    let bits = random.uint32();
    for (let digit = 0; digit < 5; digit++, bits >>>= 5) text += ORDER_DIGITS[bits & 31];
  }
  return text;
}
