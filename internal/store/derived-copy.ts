import type { CopyWriter } from "./copy-writer.ts";
import type { DerivedTexts } from "./event-columns.ts";

/**
 * Writes derived texts of a batch as fields of rows: those of one key are encoded once, and copied from there for each
 * further row.
 */
export class DerivedCopy {
  readonly #to: CopyWriter;
  readonly #derived: DerivedTexts;
  readonly #width: number;
  /** By key, where in the writer its fields begin and end; 0 as long as they are not there. */
  readonly #places: Uint32Array;

  /** @param width number of columns. */
  constructor(to: CopyWriter, derived: DerivedTexts, width: number) {
    this.#to = to;
    this.#derived = derived;
    this.#width = width;
    this.#places = new Uint32Array(2 * derived.texts.length);
  }

  write(row: number): void {
    const key = this.#derived.keys?.[row];
    const start = key === undefined ? undefined : this.#places[2 * key];
    if (start === undefined) this.#to.nulls(this.#width);
    else if (start === 0) this.#encode(key!);
    else this.#to.again(start, this.#places[2 * key! + 1]!);
  }

  #encode(key: number): void {
    this.#places[2 * key] = this.#to.position;
    const texts = this.#derived.texts[key];
    if (texts === undefined) this.#to.nulls(this.#width);
    else for (const text of texts) encode(this.#to, text);
    this.#places[2 * key + 1] = this.#to.position;
  }
}

/** An empty text is null. */
function encode(to: CopyWriter, text: string | null): void {
  if (text === null || text === "") to.null();
  else to.text(text);
}
