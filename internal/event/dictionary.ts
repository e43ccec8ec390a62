import { asU32, bytesOf } from "./columns.ts";

/** Index of "absent"; entry i of the dictionary has index i + 1. */
export const ABSENT = 0;

/** Collects the distinct texts of a batch. */
export class DictionaryBuilder {
  readonly #indexes = new Map<string, number>();
  #bytes: Buffer = Buffer.allocUnsafe(64 << 10);
  #ends = new Uint32Array(1_024);
  #length = 0;

  /** Bytes of both columns. */
  get byteLength(): number {
    return this.#length + 4 * this.#indexes.size;
  }

  /** The index of a text, added when it is new; the empty text is ABSENT. */
  add(text: string): number {
    if (text === "") return ABSENT;
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    const index = this.#indexes.size + 1;
    this.#indexes.set(text, index);
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (this.#length + text.length * 3 > this.#bytes.length) this.#grow(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
    if (index > this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#ends[index - 1] = this.#length;
    return index;
  }

  /** The two columns of the dictionary; valid until the next add or clear. */
  columns(): { dictionaryEnds: Uint8Array; dictionary: Uint8Array } {
    return {
      dictionaryEnds: bytesOf(this.#ends, this.#indexes.size),
      dictionary: this.#bytes.subarray(0, this.#length),
    };
  }

  clear(): void {
    this.#indexes.clear();
    this.#length = 0;
  }

  #grow(room: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + room));
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }
}

/** A batch's dictionary for reading: an entry's text is made at its first use, once. */
export class Dictionary {
  /** Number of entries; valid indexes are 0 (absent) to size. */
  readonly size: number;
  /** The UTF-8 bytes of all entries. */
  readonly source: Buffer;
  readonly #ends: Uint32Array;
  readonly #texts: (string | undefined)[];

  /** @param ends u32 end offsets. @param bytes the entries. Both must have been checked. */
  constructor(ends: Uint8Array, bytes: Uint8Array) {
    this.#ends = asU32(ends);
    this.source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.size = this.#ends.length;
    this.#texts = new Array<string | undefined>(this.size);
  }

  /** The text of an index, or undefined for ABSENT. */
  text(index: number): string | undefined {
    if (index === ABSENT) return undefined;
    const known = this.#texts[index - 1];
    if (known !== undefined) return known;
    const made = this.source.toString("utf8", this.start(index), this.end(index));
    this.#texts[index - 1] = made;
    return made;
  }

  /** Where the bytes of an index other than ABSENT begin in source. */
  start(index: number): number {
    return index === 1 ? 0 : this.#ends[index - 2]!;
  }

  /** Where they end. */
  end(index: number): number {
    return this.#ends[index - 1]!;
  }
}
