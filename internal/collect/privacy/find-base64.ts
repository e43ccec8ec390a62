import { Char, type DecodedText } from "./decoded-text.ts";

/** Shortest and longest run that is decoded, characters; of a longer one the first so many decide. */
const SHORTEST = 8;
const LONGEST = 2_048;

/** The six bits of each character, in base64 and base64url (RFC 4648); NONE for all others. */
const NONE = 0xff;
const values = new Uint8Array(0x80).fill(NONE);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
for (let value = 0; value < ALPHABET.length; value++) values[ALPHABET.charCodeAt(value)] = value;
values[Char.PLUS] = values[Char.MINUS] = 62;
values[Char.SLASH] = values[0x5f] = 63;

const decoded = Buffer.alloc((LONGEST / 4) * 3);

/**
 * What the characters from a place on say in base64; undefined where they are no base64 of plain ASCII text, which is
 * mostly known after three. @param isFolder whether a / ends them.
 */
export function readBase64(
  { codes, length }: DecodedText,
  from: number,
  isFolder: boolean,
): string | undefined {
  const last = Math.min(length, from + LONGEST);
  let [bits, size, at] = [0, 0, from];
  for (; at < last; at++) {
    const code = codes[at]!;
    if (!isOfBase64(code, isFolder) || isSignature(codes, at)) break;
    bits = (bits << 6) | values[code]!;
    const place = (at - from) & 3;
    if (place === 0) continue;
    const byte = (bits >>> (6 - 2 * place)) & 0xff;
    if (byte < 0x20 || byte > 0x7e) return undefined;
    decoded[size++] = byte;
  }
  return at - from < SHORTEST ? undefined : decoded.toString("latin1", 0, size);
}

/** Where a run of base64 ends, with its padding. */
export function base64End({ codes, length }: DecodedText, from: number, isFolder: boolean): number {
  let end = from;
  while (end < length && isOfBase64(codes[end]!, isFolder) && !isSignature(codes, end)) end++;
  while (end < length && codes[end] === Char.EQUALS) end++;
  return end;
}

function isOfBase64(code: number, isFolder: boolean): boolean {
  return code < 0x80 && values[code] !== NONE && !(isFolder && code === Char.SLASH);
}

/** Whether what is signed ends here, as Rails has it: eyJ...--5f4d. */
function isSignature(codes: Uint16Array, at: number): boolean {
  return codes[at] === Char.MINUS && codes[at + 1] === Char.MINUS;
}
