import { hash } from "node:crypto";
import type { BatchView } from "../../event/batch-view.ts";
import type { HmacSha256 } from "./hmac.ts";

/** Hashes of a batch's texts that belong to a merchant, such as its visitors' ids, written for rows of `target`. */
export class OwnTextHashes {
  readonly #batch: BatchView;
  /** What stands before the merchant and the text in what is hashed, so that kinds have nothing in common. */
  readonly #kind: string;
  readonly #target: Uint32Array;
  /** By a text's index, 1 + the row that it was last hashed for. */
  readonly #rows: Uint32Array;

  constructor(batch: BatchView, kind: string, target: Uint32Array) {
    this.#batch = batch;
    this.#kind = kind;
    this.#target = target;
    this.#rows = new Uint32Array(batch.dictionary.size + 1);
  }

  /** Writes `hashWords` of kind, merchant and text for a row: one that is there is copied. */
  write(row: number, index: number): void {
    const { merchantIds, dictionary } = this.#batch;
    const target = this.#target;
    const merchant = merchantIds[row]!;
    const known = this.#rows[index]! - 1;
    if (known !== -1 && merchantIds[known] === merchant) {
      target[2 * row] = target[2 * known]!;
      target[2 * row + 1] = target[2 * known + 1]!;
      return;
    }
    putWords(target, row, hashWords([this.#kind, merchant, dictionary.text(index)]));
    this.#rows[index] = row + 1;
  }
}

/** Low and high word of a hash, as 32-bit integers, signed. */
export type Words = readonly [low: number, high: number];

/** Writes words for a row. */
export function putWords(target: Uint32Array, row: number, [low, high]: Words): void {
  target[2 * row] = low;
  target[2 * row + 1] = high;
}

/** The first 64 bits of SHA-256 of the parts, as JSON; of HMAC-SHA-256 where there is a key. */
export function hashWords(parts: readonly unknown[], keyed?: HmacSha256): Words {
  const text = JSON.stringify(parts);
  // As a text of a byte a letter: quicker to make than a buffer.
  const digest = keyed === undefined ? hash("sha256", text, "latin1") : keyed.digest(text);
  return [word(digest, 0), word(digest, 4)];
}

/** Four bytes as a number, little-endian. */
function word(bytes: string, at: number): number {
  const [second, fourth] = [bytes.charCodeAt(at + 1), bytes.charCodeAt(at + 3)];
  return bytes.charCodeAt(at) | (second << 8) | (bytes.charCodeAt(at + 2) << 16) | (fourth << 24);
}

export const DAY_MS = 86_400_000;

/** The UTC day of a time (ms since 1970-01-01 UTC), days since 1970-01-01. */
export function utcDay(ms: number): number {
  return Math.floor(ms / DAY_MS);
}
