import type { Random } from "./random.ts";

const DIGITS = Buffer.from("0123456789abcdef");

/** Both hex digits of every byte, the first one in the low half. */
const HEX = Uint16Array.from({ length: 256 }, (_, byte) => DIGITS[byte >> 4]! | (DIGITS[byte & 15]! << 8));

// Ids are made for every event. Digits put into a buffer, and turned into text at once, take a quarter of the
// time of joining strings.
const uuid = Buffer.alloc(36, "-");
const word = Buffer.alloc(16);
let uuidMs = -1;

/** Writes a byte's two digits; bits above the lowest 8 do not count. */
function put(target: Buffer, place: number, byte: number): void {
  const digits = HEX[byte & 0xff]!;
  target[place] = digits & 0xff;
  target[place + 1] = digits >>> 8;
}

function put4(target: Buffer, place: number, bits: number): void {
  put(target, place, bits >>> 24);
  put(target, place + 2, bits >>> 16);
  put(target, place + 4, bits >>> 8);
  put(target, place + 6, bits);
}

/**
 * A UUIDv7 (RFC 9562) of the given time whose 74 random bits come from `random`.
 * @param timeMs whole milliseconds since 1970, UTC, below 2^48.
 */
export function uuidV7(timeMs: number, random: Random): string {
  if (timeMs !== uuidMs) putTime(timeMs);
  const a = random.uint32();
  put(uuid, 14, 0x70 | ((a >>> 8) & 0x0f));
  put(uuid, 16, a);
  put(uuid, 19, 0x80 | ((a >>> 24) & 0x3f));
  put(uuid, 21, a >>> 16);
  put4(uuid, 24, random.uint32());
  const b = random.uint32();
  put(uuid, 32, b >>> 8);
  put(uuid, 34, b);
  return uuid.toString("latin1");
}

function putTime(timeMs: number): void {
  uuidMs = timeMs;
  put4(uuid, 0, Math.floor(timeMs / 0x1_0000));
  put(uuid, 9, timeMs >>> 8);
  put(uuid, 11, timeMs);
}

/** 16 hex digits. */
export function hex16(random: Random): string {
  put4(word, 0, random.uint32());
  put4(word, 8, random.uint32());
  return word.toString("latin1");
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
