import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

/** write: sends events. read: asks for reports. manage: changes what the merchant set up, such as its goals. */
export const KEY_KINDS = ["write", "read", "manage"] as const;

export type KeyKind = (typeof KEY_KINDS)[number];

const PREFIX: Readonly<Record<KeyKind, string>> = { write: "ffw_", read: "ffr_", manage: "ffm_" };

/** 256 random bits and 32 of the check, each as base64url. */
const FORM = /^(ff[wrm]_)[\w-]{43}([\w-]{6})$/;

/** A new API key's text: a prefix that tells its kind, 43 random characters, 6 that check the others. */
export function newKeyText(kind: KeyKind): string {
  return withCheck(PREFIX[kind] + randomBytes(32).toString("base64url"));
}

/**
 * Whether a text can be a key of this kind, told without looking anything up. It keeps typing errors, keys cut
 * short and guesses away from the database; it is no secret, and whoever reads this can make such texts.
 */
export function isKeyText(kind: KeyKind, text: string): boolean {
  const [, prefix, check] = FORM.exec(text) ?? [];
  return check !== undefined && prefix === PREFIX[kind] && check === checkOf(text.slice(0, -check.length));
}

/** Appends the check to the rest of a key. */
export function withCheck(text: string): string {
  return text + checkOf(text);
}

/** CRC-32 (as in zlib), big-endian, in base64url. */
function checkOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString("base64url");
}
