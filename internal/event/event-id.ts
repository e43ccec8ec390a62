import { hash } from "node:crypto";

/** Bytes of an id, in the order in which a UUID is written. */
export const ID_BYTES = 16;

/** The nil UUID is left out: 16 zero bytes stand for an absent id in a batch. */
const UUID = /^(?!0{8}-0{4}-0{4}-0{4}-0{12}$)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The 16 bytes of an SDK's event_id: a UUID (not the nil one) as it is; any other text by its hash. */
export function eventIdBytes(text: string): Buffer {
  return UUID.test(text) ? Buffer.from(text.replaceAll("-", ""), "hex") : hashedId(text);
}

/**
 * A text, or its UTF-8, as an id: a UUIDv8 (RFC 9562) whose 122 free bits come from SHA-256 of the text, so that the
 * same text is the same id everywhere.
 */
export function hashedId(text: string | Uint8Array): Buffer {
  const id = hash("sha256", text, "buffer").subarray(0, ID_BYTES);
  id[6] = (id[6]! & 0x0f) | 0x80;
  id[8] = (id[8]! & 0x3f) | 0x80;
  return id;
}

/** The value of each ASCII character as a hexadecimal digit, 255 for others. */
const DIGITS = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const character = digit.toString(16);
  DIGITS[character.charCodeAt(0)] = digit;
  DIGITS[character.toUpperCase().charCodeAt(0)] = digit;
}

/** Where the 16 bytes' digits stand in a UUID as it is written, and where its hyphens. */
const DIGITS_AT = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HYPHENS_AT = [8, 13, 18, 23];
const HYPHEN = 0x2d;

/**
 * eventIdBytes for a UUID in bytes, without a string: writes its 16 bytes at an offset.
 * @returns false, with zeros at the offset, when the bytes are no UUID or the nil one.
 */
export function readUuid(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
): boolean {
  if (end - start !== 36) return false;
  let wrong = 0;
  let any = 0;
  for (let i = 0; i < 4; i++) wrong |= source[start + HYPHENS_AT[i]!]! ^ HYPHEN;
  for (let i = 0; i < ID_BYTES; i++) {
    const digits = start + DIGITS_AT[i]!;
    const low = DIGITS[source[digits + 1]!]!;
    const byte = (DIGITS[source[digits]!]! << 4) | low;
    // What is no digit has bits above the four of one.
    wrong |= (byte >> 8) | (low & 0xf0);
    any |= byte;
    target[offset + i] = byte;
  }
  if (wrong === 0 && any !== 0) return true;
  target.fill(0, offset, offset + ID_BYTES);
  return false;
}

/**
 * The time inside a UUIDv7 at an offset, ms since 1970-01-01 UTC, or undefined for any other id.
 */
export function uuidV7Time(bytes: Uint8Array, offset = 0): number | undefined {
  if (bytes[offset + 6]! >> 4 !== 7 || bytes[offset + 8]! >> 6 !== 2) return undefined;
  const high = (bytes[offset]! << 8) | bytes[offset + 1]!;
  const low =
    ((bytes[offset + 2]! << 24) |
      (bytes[offset + 3]! << 16) |
      (bytes[offset + 4]! << 8) |
      bytes[offset + 5]!) >>>
    0;
  return high * 0x1_0000_0000 + low;
}

/**
 * Times inside ids outside of these years count as none; ms since 1970-01-01 UTC. They bound how many chunks of
 * event_keys one transaction can meet, and the constraint of the table has them too.
 */
const FIRST_KEY_TIME = Date.UTC(2020, 0);
const LAST_KEY_TIME = Date.UTC(2050, 0);

/**
 * The time that an event's id is looked up under: the time inside a UUIDv7, else 0. A function of the id
 * alone: two copies of an event may differ in their times, never in their key.
 */
export function keyTime(bytes: Uint8Array, offset: number): number {
  const time = uuidV7Time(bytes, offset) ?? 0;
  return time >= FIRST_KEY_TIME && time < LAST_KEY_TIME ? time : 0;
}

/**
 * Writes the id of a row whose event came without one: the batch's id with row + 1 added to its last four
 * bytes. A UUIDv7 with the batch's time; unique because the batch's 74 random bits are, and it costs
 * nothing on the wire. A batch counts once (the ledger), so these ids need no look-up of their own.
 */
export function writeDerivedId(batchId: Uint8Array, row: number, target: Uint8Array, offset: number): void {
  for (let i = 0; i < 12; i++) target[offset + i] = batchId[i]!;
  const last =
    (((batchId[12]! << 24) | (batchId[13]! << 16) | (batchId[14]! << 8) | batchId[15]!) + row + 1) >>> 0;
  target[offset + 12] = last >>> 24;
  target[offset + 13] = last >>> 16;
  target[offset + 14] = last >>> 8;
  target[offset + 15] = last;
}

/** An id as a UUID is written. */
export function formatId(bytes: Uint8Array, offset = 0): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + offset, ID_BYTES).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
