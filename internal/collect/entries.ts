/** The fields of a message that is repeated: a stretch of words for each, in one array for the first of them. */
export class Entries {
  readonly values: Int32Array;
  readonly #words: number;
  readonly #most: number;
  /** How many are kept. */
  count = 0;
  /** How many there were behind those that are kept. */
  beyond = 0;

  /** @param words of each entry. @param most entries that are kept; what comes behind them is counted. */
  constructor(words: number, most: number) {
    this.#words = words;
    this.#most = most;
    this.values = new Int32Array(words * most);
  }

  /** Where an entry's words begin. */
  offset(index: number): number {
    return index * this.#words;
  }

  /** Adds an entry of zeros. @returns where its words begin; -1: it is one too many, and is not kept. */
  add(): number {
    if (this.count === this.#most) {
      this.beyond++;
      return -1;
    }
    const offset = this.count++ * this.#words;
    this.values.fill(0, offset, offset + this.#words);
    return offset;
  }

  clear(): void {
    this.count = 0;
    this.beyond = 0;
  }
}
