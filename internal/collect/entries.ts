/** The fields of a message that is repeated: a stretch of words for each, in one array that grows. */
export class Entries {
  values = new Int32Array(256);
  readonly #words: number;
  #count = 0;

  /** @param words of each entry. */
  constructor(words: number) {
    this.#words = words;
  }

  get count(): number {
    return this.#count;
  }

  /** Where an entry's words begin. */
  offset(index: number): number {
    return index * this.#words;
  }

  /** Adds an entry of zeros. @returns where its words begin. */
  add(): number {
    const offset = this.#count++ * this.#words;
    if (offset + this.#words > this.values.length) {
      const values = new Int32Array(this.values.length * 2);
      values.set(this.values);
      this.values = values;
    }
    this.values.fill(0, offset, offset + this.#words);
    return offset;
  }

  clear(): void {
    this.#count = 0;
  }
}
