import { createHmac, hash } from "node:crypto";
import { MAX_ENTRIES } from "../../event/batch-limits.ts";

/** Hashes of a batch's keys: what repeats from row to row is hashed once. */
export class HashCache<Key> {
  readonly #words = new Map<Key, readonly [number, number]>();

  /**
   * Writes the first 64 bits of SHA-256 of the parts, as JSON, for a row; of HMAC-SHA-256 where there is a secret.
   */
  write(
    target: Uint32Array,
    row: number,
    key: Key,
    parts: () => readonly unknown[],
    secret?: Uint8Array,
  ): void {
    let words = this.#words.get(key);
    if (words === undefined) {
      words = hashWords(parts(), secret);
      this.#words.set(key, words);
    }
    target[2 * row] = words[0];
    target[2 * row + 1] = words[1];
  }
}

/** Low and high word (as 32-bit integers, signed) of what `HashCache.write` writes. */
export function hashWords(parts: readonly unknown[], secret?: Uint8Array): readonly [number, number] {
  const text = JSON.stringify(parts);
  // As a text of a byte a letter: quicker to make than a buffer.
  const digest =
    secret === undefined
      ? hash("sha256", text, "latin1")
      : createHmac("sha256", secret).update(text).digest("latin1");
  return [word(digest, 0), word(digest, 4)];
}

/** Four bytes as a number, little-endian. */
function word(bytes: string, at: number): number {
  const [second, fourth] = [bytes.charCodeAt(at + 1), bytes.charCodeAt(at + 3)];
  return bytes.charCodeAt(at) | (second << 8) | (bytes.charCodeAt(at + 2) << 16) | (fourth << 24);
}

/** A merchant and a dictionary index as one number within 2^53. */
export function ownText(merchant: number, index: number): number {
  return merchant * (MAX_ENTRIES + 1) + index;
}

const DAY_MS = 86_400_000;

/** The UTC day of a time (ms since 1970-01-01 UTC), days since 1970-01-01. */
export function utcDay(ms: number): number {
  return Math.floor(ms / DAY_MS);
}
