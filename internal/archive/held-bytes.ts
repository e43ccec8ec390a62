/**
 * How much of the batches that were fetched is not in the archive yet, of all partitions together. When the
 * limit is reached, whoever holds its share or more makes an object of it before it takes more: together they
 * never hold more than twice the limit.
 */
export class HeldBytes {
  readonly #limit: number;
  readonly #share: number;
  #used = 0;

  /** @param holders how many partitions share the limit. */
  constructor(limit: number, holders: number) {
    this.#limit = limit;
    this.#share = limit / Math.max(1, holders);
  }

  get used(): number {
    return this.#used;
  }

  add(bytes: number): void {
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }

  /** Whether a holder of so many bytes should make room. */
  isPressing(own: number): boolean {
    return own > 0 && this.#used >= this.#limit && own >= this.#share;
  }
}
