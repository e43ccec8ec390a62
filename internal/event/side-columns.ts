import { bytesOf, copyOf, isUsed, setMicros } from "./columns.ts";

/** Words of 32 bits that a value of each kind takes. */
const WORDS = { u32: 1, micros: 2 } as const;

export type Kind = keyof typeof WORDS;

/** The kind of each column. */
type Kinds = Readonly<Record<string, Kind>>;

/** One entry: a value of each column. */
export type Entry<K extends Kinds> = { [N in keyof K]: K[N] extends "micros" ? bigint : number };

interface Column<Name> {
  readonly name: Name;
  readonly width: 1 | 2;
  /** Written even where it is zero throughout. */
  readonly required: boolean;
  words: Uint32Array<ArrayBuffer>;
}

/**
 * Columns of what a row may have none or many of (orders, items, properties). They grow together, and are kept
 * for the next batch; an optional column that is zero throughout is left out.
 */
export class SideColumns<const K extends Kinds> {
  readonly #columns: readonly Column<keyof K & string>[];
  #length = 0;
  #capacity = 64;

  constructor(kinds: K, required: readonly NoInfer<keyof K & string>[]) {
    this.#columns = (Object.keys(kinds) as (keyof K & string)[]).map((name) => {
      const width = WORDS[kinds[name]!];
      return { name, width, required: required.includes(name), words: new Uint32Array(64 * width) };
    });
  }

  get length(): number {
    return this.#length;
  }

  /** Appends one entry. Values are whole numbers, 0 or more. */
  append(values: Readonly<Entry<K>>): void {
    if (this.#length === this.#capacity) this.#grow();
    const at = this.#length++;
    for (const { name, width, words } of this.#columns) {
      if (width === 1) words[at] = values[name] as number;
      else setMicros(words, at, values[name] as bigint);
    }
  }

  /** Takes the entries after the first `length` out again. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** The columns' bytes, or undefined when there is no entry; copied, so that the builder can go on. */
  take(): Partial<Record<keyof K, Uint8Array>> | undefined {
    if (this.#length === 0) return undefined;
    const result: Partial<Record<keyof K, Uint8Array>> = {};
    for (const { name, width, required, words } of this.#columns) {
      const count = this.#length * width;
      if (required || isUsed(words, count)) result[name] = copyOf(bytesOf(words, count));
    }
    this.#length = 0;
    return result;
  }

  #grow(): void {
    this.#capacity *= 2;
    for (const column of this.#columns) {
      const { words } = column;
      column.words = new Uint32Array(words.length * 2);
      column.words.set(words);
    }
  }
}
