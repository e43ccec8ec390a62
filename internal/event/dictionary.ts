import { asU32 } from "./columns.ts";

/** Index of "absent"; entry i of the dictionary has index i + 1. */
export const ABSENT = 0;

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
