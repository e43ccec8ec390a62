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
export function finishHash(hash: number): number {
  let h = hash ^ SEED;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The hash of the bytes that a view has from `start` to `end`, finished. */
export function hashBytes(view: DataView, start: number, end: number): number {
  const length = end - start;
  let hash = length;
  if (length < 4) {
    let rest = 0;
    for (let at = start; at < end; at++) rest = (rest << 8) | view.getUint8(at);
    return finishHash(mix(hash, rest));
  }
  const last = end - 4;
  for (let at = start; at < last; at += 4) hash = mix(hash, view.getInt32(at, true));
  // The last word may overlap the one before it.
  return finishHash(mix(hash, view.getInt32(last, true)));
}

/** Whether two stretches of so many bytes are the same. */
export function sameBytes(a: DataView, aStart: number, b: DataView, bStart: number, length: number): boolean {
  if (length < 4) {
    for (let i = 0; i < length; i++) if (a.getUint8(aStart + i) !== b.getUint8(bStart + i)) return false;
    return true;
  }
  const last = length - 4;
  for (let i = 0; i < last; i += 4) {
    if (a.getInt32(aStart + i, true) !== b.getInt32(bStart + i, true)) return false;
  }
  return a.getInt32(aStart + last, true) === b.getInt32(bStart + last, true);
}
