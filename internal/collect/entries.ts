/** The fields of a message that is repeated: a stretch of words for each, in one array for the first of them. */
export class Entries {
  readonly values: Int32Array;
  readonly #words: number;
  readonly #most: number;
  #added = 0;

  /** @param words of each entry. @param most entries that are kept; what comes behind them is counted. */
  constructor(words: number, most: number) {
    this.#words = words;
    this.#most = most;
    // The last place is for what is read and not kept.
    this.values = new Int32Array(words * (most + 1));
  }

  /** How many are kept. */
  get count(): number {
    return Math.min(this.#added, this.#most);
  }

  /** How many there were behind those that are kept. */
  get beyond(): number {
    return this.#added - this.count;
  }

  /** Where an entry's words begin. */
  offset(index: number): number {
    return index * this.#words;
  }

  /** Adds an entry of zeros. @returns where its words begin. */
  add(): number {
    const offset = Math.min(this.#added++, this.#most) * this.#words;
    this.values.fill(0, offset, offset + this.#words);
    return offset;
  }

  clear(): void {
    this.#added = 0;
  }
}
