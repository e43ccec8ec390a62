import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104) of many short texts with one key. By two whole hashes, which takes a third of the time of a
 * node:crypto Hmac: that is made anew for each text.
 */
export class HmacSha256 {
  /** The key's inner block, and room for a text behind it. */
  #inner: Buffer = Buffer.alloc(BLOCK_BYTES + 1_024);
  /** The key's outer block, and the inner digest behind it. */
  readonly #outer: Buffer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

  /** @param key 64 bytes at most. */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES)
      throw new RangeError(`a key of ${key.length} bytes, at most ${BLOCK_BYTES}`);
    for (let at = 0; at < BLOCK_BYTES; at++) {
      this.#inner[at] = (key[at] ?? 0) ^ 0x36;
      this.#outer[at] = (key[at] ?? 0) ^ 0x5c;
    }
  }

  /** @returns the 32 bytes, as a text of a byte a letter. */
  digest(text: string): string {
    // No letter of UTF-16 takes more than three bytes of UTF-8.
    const most = BLOCK_BYTES + 3 * text.length;
    if (most > this.#inner.length)
      this.#inner = Buffer.concat([this.#inner.subarray(0, BLOCK_BYTES)], 2 * most);
    const end = BLOCK_BYTES + this.#inner.write(text, BLOCK_BYTES);
    this.#outer.write(hash("sha256", this.#inner.subarray(0, end), "latin1"), BLOCK_BYTES, "latin1");
    return hash("sha256", this.#outer, "latin1");
  }
}
