import { createHmac, hash } from "node:crypto";

/** Secret of an installation, and of a merchant, bytes. */
export const VISITOR_ID_KEY_BYTES = 32;

/** Stands before the digits of a hashed id. */
const PREFIX = "hmac:";

/** 128 bits tell any number of visitors apart; hexadecimal digits. */
const DIGITS = 32;

/** What a collector is given to hash a merchant's visitor ids with: nothing tells the installation's secret from it. */
export function merchantVisitorKey(secret: Uint8Array, merchantId: number): Buffer {
  return createHmac("sha256", secret).update(`visitor ids of merchant ${merchantId}`).digest();
}

/** "hmac:" and the first 128 bits of HMAC-SHA-256 of an id under the merchant's visitor-id key. */
export function hashedVisitorId(key: Uint8Array, id: Uint8Array): string {
  return PREFIX + createHmac("sha256", key).update(id).digest("hex").slice(0, DIGITS);
}

/** Longest id that is stored as it is, characters. */
export const LONGEST_VISITOR_ID = 256;

/** What is stored of a visitor id: the same, or its hash where it can be guessed or is too long. */
export function storedVisitorId(key: Uint8Array, id: string): string {
  const bytes = Buffer.from(id);
  if (isGuessable(bytes, 0, bytes.length)) return hashedVisitorId(key, bytes);
  return [...id].length > LONGEST_VISITOR_ID ? `sha256:${hash("sha256", bytes)}` : id;
}

/** What is looked at of an id, bytes. */
const MOST_READ = 256;

/** Of hexadecimal digits and - alone, and so long: a UUID, a hash. */
const SHORTEST_HEX = 32;

/** Digits that nobody goes through: two numbers of ten, such as Google's client ids have. */
const MOST_DIGITS = 18;

/** So long, and letters beside digits so often: nothing that a person has as a name. */
const SHORTEST_MIXED = 16;
const TURNS = 3;

const LETTER = 1;
const DIGIT = 2;

/**
 * Whether an id in UTF-8 may be found by trying: mail addresses, phone numbers, customer numbers, names, whatever is
 * short. What is left are random ids: UUIDs, hashes, nanoid's, a browser's two long numbers.
 */
export function isGuessable(bytes: Uint8Array, start: number, end: number): boolean {
  const last = Math.min(end, start + MOST_READ);
  let hex = 0;
  let digits = 0;
  let turns = 0;
  let before = 0;
  for (let at = start; at < last; at++) {
    const code = bytes[at]!;
    if (code === 0x40) return true;
    const kind = kindOf(code);
    if (kind === DIGIT) digits++;
    if ((kind | before) === (LETTER | DIGIT)) turns++;
    if (kind === DIGIT || code === 0x2d || isHexLetter(code)) hex++;
    before = kind;
  }
  const length = last - start;
  const isHex = hex === length && length >= SHORTEST_HEX;
  const isMixed = length >= SHORTEST_MIXED && turns >= TURNS;
  return !(isHex || isMixed || digits > MOST_DIGITS);
}

function kindOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return DIGIT;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? LETTER : 0;
}

function isHexLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66;
}
