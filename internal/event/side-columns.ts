import { type Field, isWide, type Wide } from "../event-schema/fields.ts";
import { bytesOf, copyOf, isUsed, setMicros } from "./columns.ts";

/** Fields that side columns can hold. */
type SideFields = Readonly<Record<string, Field>>;

/** One entry: the row that it belongs to, and a value of each field. */
export type Entry<F extends SideFields> = { row: number } & {
  -readonly [N in keyof F]: F[N]["kind"] extends Wide ? bigint : number;
};

/** An entry of row 0 in which everything is absent, to be filled again and again. */
export function emptyEntry<F extends SideFields>(fields: F): Entry<F> {
  const values = Object.entries(fields).map(([name, { kind }]) => [name, isWide(kind) ? 0n : 0]);
  return { row: 0, ...Object.fromEntries(values) };
}

interface Column {
  readonly name: string;
  /** Words of 32 bits that a value takes. */
  readonly width: 1 | 2;
  /** Written even where it is zero throughout. */
  readonly required: boolean;
  words: Uint32Array<ArrayBuffer>;
}

/**
 * Columns of what a row may have none or many of (orders, items, properties). They grow together, and are kept
 * for the next batch; an optional column that is zero throughout is left out.
 */
export class SideColumns<F extends SideFields> {
  readonly #columns: readonly Column[];
  #length = 0;
  #capacity = 64;

  constructor(fields: F) {
    const all = Object.entries<Field>({ row: { kind: "u32", isRequired: true }, ...fields });
    this.#columns = all.map(([name, { kind, isRequired = false }]) => {
      const width = isWide(kind) ? 2 : 1;
      return { name, width, required: isRequired, words: new Uint32Array(64 * width) };
    });
  }

  get length(): number {
    return this.#length;
  }

  /** Appends one entry. Values are whole numbers, 0 or more. */
  append(values: Readonly<Entry<F>>): void {
    const of = values as Readonly<Record<string, number | bigint>>;
    if (this.#length === this.#capacity) this.#grow();
    const at = this.#length++;
    for (const { name, width, words } of this.#columns) {
      if (width === 1) words[at] = of[name] as number;
      else setMicros(words, at, of[name] as bigint);
    }
  }

  /** Takes the entries after the first `length` out again. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** The columns' bytes, or undefined when there is no entry; copied, so that the builder can go on. */
  take(): Record<string, Uint8Array> | undefined {
    if (this.#length === 0) return undefined;
    const result: Record<string, Uint8Array> = {};
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
