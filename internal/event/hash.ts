import { randomBytes } from "node:crypto";

/**
 * Hashes of this process alone, for its hash tables: MurmurHash3's 32-bit steps (Austin Appleby, public domain)
 * with multipliers that are drawn at the start. What is hashed comes from outside, and nobody there can tell
 * which values would meet in one slot.
 */
const secrets = new Uint32Array(randomBytes(12).buffer.slice(0, 12));
const FIRST = secrets[0]! | 1;
const SECOND = secrets[1]! | 1;
const SEED = secrets[2]! | 0;

/** A hash with 32 further bits mixed in. @param hash 0 to begin with. */
export function mix(hash: number, word: number): number {
  const k = Math.imul(word, FIRST);
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), SECOND);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** The finished hash: a whole number of 32 bits with sign, of which any bits may be used. */
export function finish(hash: number): number {
  let h = hash ^ SEED;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The hash of some bytes, finished. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (const words = end - 3; at < words; at += 4) {
    hash = mix(hash, bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
  }
  let rest = 0;
  for (; at < end; at++) rest = (rest << 8) | bytes[at]!;
  return finish(mix(hash, rest));
}
