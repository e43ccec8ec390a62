/** Why nothing more is given: the merchant has its part already, or all is taken. */
export type OverQuota = "merchant" | "all";

/**
 * A quota of bytes or requests that merchants share. A merchant may hold so much as is free, times a factor (the
 * "dynamic threshold" of Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998): one alone comes
 * to its share, and however many hot merchants there are, some room is left for those that are quiet.
 */
export class Quota {
  readonly #capacity: number;
  readonly #factor: number;
  readonly #held = new Map<number, number>();
  #used = 0;

  /** @param share of the room that a merchant comes to when it is alone, above 0; 1 for no limit but the room itself. */
  constructor(capacity: number, share: number) {
    this.#capacity = capacity;
    this.#factor = share >= 1 ? Number.POSITIVE_INFINITY : share / (1 - share);
  }

  get used(): number {
    return this.#used;
  }

  /** Whether a merchant may take some more now, however much: it is the next one that may find no room. */
  refusal(merchantId: number): OverQuota | undefined {
    const free = this.#capacity - this.#used;
    if (free <= 0) return "all";
    return (this.#held.get(merchantId) ?? 0) < this.#factor * free ? undefined : "merchant";
  }

  take(merchantId: number, amount: number): void {
    this.#used += amount;
    this.#held.set(merchantId, (this.#held.get(merchantId) ?? 0) + amount);
  }

  /** Gives back what was taken. */
  give(merchantId: number, amount: number): void {
    this.#used -= amount;
    const left = (this.#held.get(merchantId) ?? 0) - amount;
    if (left > 0) this.#held.set(merchantId, left);
    else this.#held.delete(merchantId);
  }
}
