import { isUtf8 } from "node:buffer";
import { bytesOf } from "./columns.ts";
import { ABSENT } from "./dictionary.ts";
import { hashBytes, sameBytes } from "./hash.ts";

/** What `intern` returns for bytes that are no text of a dictionary. */
export const NOT_UTF8 = -1;
/** PostgreSQL's text cannot hold U+0000. */
export const HOLDS_NUL = -2;

/**
 * Collects the distinct texts of a batch, as bytes: a hash table with open addressing over the dictionary's own
 * bytes. What depends on a text alone is found once, when it is new: that it is UTF-8 here, and what `mark`
 * remembers for the caller.
 */
export class DictionaryBuilder {
  #bytes: Buffer = Buffer.allocUnsafeSlow(64 << 10);
  #view = new DataView(this.#bytes.buffer);
  /** Of the memory that the last texts stood in: those of a request stand in the same. */
  #sourceView = this.#view;
  #ends = new Uint32Array(1_024);
  #hashes = new Int32Array(1_024);
  #marks = new Uint8Array(1_024);
  /** Index of the entry in each slot, 0 for none; a power of two, at most half of it in use. */
  #slots = new Uint32Array(2_048);
  /** Indexes of the texts that came as strings. */
  readonly #known = new Map<string, number>();
  #size = 0;
  #length = 0;

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of both columns. */
  get byteLength(): number {
    return this.#length + 4 * this.#size;
  }

  /** The index of a text, added when it is new; the empty text is ABSENT. @throws Error when it holds U+0000. */
  add(text: string): number {
    if (text === "") return ABSENT;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const bytes = Buffer.from(text);
    const index = this.intern(bytes, 0, bytes.length);
    if (index < 0) throw new Error(`dictionary: a text holds U+0000: ${JSON.stringify(text.slice(0, 80))}`);
    this.#known.set(text, index);
    return index;
  }

  /**
   * The index of the text in some bytes, added when it is new; no bytes are ABSENT. Bytes that may not stand in
   * a dictionary are not added: NOT_UTF8 or HOLDS_NUL.
   */
  intern(source: Uint8Array, start: number, end: number): number {
    if (start === end) return ABSENT;
    if (source.buffer !== this.#sourceView.buffer) this.#sourceView = new DataView(source.buffer);
    const from = source.byteOffset + start;
    const hash = hashBytes(this.#sourceView, from, from + end - start);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let index = this.#slots[slot]!; index !== 0; index = this.#slots[slot]!) {
      if (this.#hashes[index - 1] === hash && this.#equals(index, from, end - start)) return index;
      slot = (slot + 1) & mask;
    }
    const problem = this.#append(source, start, end);
    if (problem !== 0) return problem;
    if (this.#size === this.#ends.length) this.#growEntries();
    this.#ends[this.#size] = this.#length;
    this.#hashes[this.#size] = hash;
    this.#marks[this.#size] = 0;
    this.#slots[slot] = ++this.#size;
    if (this.#size > mask >>> 1) this.#growSlots();
    return this.#size;
  }

  /** The text of an index other than ABSENT, made anew each time. */
  text(index: number): string {
    return this.#bytes.toString("utf8", index === 1 ? 0 : this.#ends[index - 2]!, this.#ends[index - 1]!);
  }

  /** The caller's own bits about an entry, 0 when it is new. */
  marks(index: number): number {
    return this.#marks[index - 1]!;
  }

  mark(index: number, bits: number): void {
    this.#marks[index - 1]! |= bits;
  }

  /** Takes the entries after the first `size` out again. */
  truncate(size: number): void {
    if (size === this.#size) return;
    this.#known.clear();
    // The youngest first: no other entry went past its slot to find its own.
    while (this.#size > size) this.#slots[this.#slotOf(this.#size--)] = 0;
    this.#length = size === 0 ? 0 : this.#ends[size - 1]!;
  }

  /** The two columns of the dictionary; valid until the next change. */
  columns(): { dictionaryEnds: Uint8Array; dictionary: Uint8Array } {
    return {
      dictionaryEnds: bytesOf(this.#ends, this.#size),
      dictionary: this.#bytes.subarray(0, this.#length),
    };
  }

  clear(): void {
    this.#known.clear();
    this.#slots.fill(0);
    this.#sourceView = this.#view;
    this.#size = 0;
    this.#length = 0;
  }

  /** Whether an entry is the text of so many bytes in the source's memory. */
  #equals(index: number, from: number, length: number): boolean {
    const at = index === 1 ? 0 : this.#ends[index - 2]!;
    return (
      this.#ends[index - 1]! - at === length && sameBytes(this.#view, at, this.#sourceView, from, length)
    );
  }

  /** Copies a text behind the others. @returns why it may not stand there, or 0. */
  #append(source: Uint8Array, start: number, end: number): number {
    const from = this.#length;
    const to = from + end - start;
    if (to > this.#bytes.length) this.#growBytes(to);
    const bytes = this.#bytes;
    // Gathers the bits of all bytes: the eighth is set by any that is not ASCII, the sign by a zero less one.
    let bits = 0;
    for (let i = start, at = from; i < end; i++, at++) {
      const byte = source[i]!;
      bits |= byte | (byte - 1);
      bytes[at] = byte;
    }
    if (bits < 0) return HOLDS_NUL;
    if ((bits & 0x80) !== 0 && !isUtf8(bytes.subarray(from, to))) return NOT_UTF8;
    this.#length = to;
    return 0;
  }

  #slotOf(index: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[index - 1]! & mask;
    while (this.#slots[slot] !== index) slot = (slot + 1) & mask;
    return slot;
  }

  #growBytes(length: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, length));
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #growEntries(): void {
    const length = this.#ends.length * 2;
    const [ends, hashes, marks] = [this.#ends, this.#hashes, this.#marks];
    this.#ends = new Uint32Array(length);
    this.#hashes = new Int32Array(length);
    this.#marks = new Uint8Array(length);
    this.#ends.set(ends);
    this.#hashes.set(hashes);
    this.#marks.set(marks);
  }

  /** In the order of their indexes, which `truncate` relies on. */
  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let index = 1; index <= this.#size; index++) {
      let slot = this.#hashes[index - 1]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index;
    }
  }
}
