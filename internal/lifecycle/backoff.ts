/** Pauses between tries that fail: each twice as long as the last, and spread, so that many do not try at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  #ms: number;

  constructor({ firstMs, longestMs }: { readonly firstMs: number; readonly longestMs: number }) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#ms = firstMs;
  }

  /** The next pause, ms: between half and the whole of what is due. */
  next(): number {
    const due = this.#ms;
    this.#ms = Math.min(due * 2, this.#longestMs);
    return due * (0.5 + Math.random() / 2);
  }

  /** After a success: the next pause is a first one. */
  reset(): void {
    this.#ms = this.#firstMs;
  }
}
