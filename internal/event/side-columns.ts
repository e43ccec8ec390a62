import { bytesOf, copyOf, setI64 } from "./columns.ts";

type Words = Uint32Array<ArrayBuffer>;

/** Words of 32 bits that a value of each kind takes. */
const WORDS = { u32: 1, i64: 2 } as const;

export type Kind = keyof typeof WORDS;

/**
 * Columns of what a row may have none or many of (orders, items, properties). They grow together; an
 * optional column that stays zero throughout is left out.
 */
export class SideColumns<Name extends string> {
  readonly #kinds: Readonly<Record<Name, Kind>>;
  readonly #required: ReadonlySet<Name>;
  readonly #columns = new Map<Name, Words>();
  readonly #used = new Set<Name>();
  #length = 0;
  #capacity = 64;

  constructor(kinds: Readonly<Record<Name, Kind>>, required: readonly NoInfer<Name>[]) {
    this.#kinds = kinds;
    this.#required = new Set(required);
  }

  get length(): number {
    return this.#length;
  }

  /** Appends one entry. Values are whole numbers, 0 or more. */
  append(values: Readonly<Record<Name, number>>): void {
    if (this.#length === this.#capacity) this.#grow();
    for (const name in values) this.#put(name, values[name]);
    this.#length++;
  }

  /** The columns' bytes, or undefined when there is no entry; copied, so that the builder can go on. */
  take(): Partial<Record<Name, Uint8Array>> | undefined {
    if (this.#length === 0) return undefined;
    const result: Partial<Record<Name, Uint8Array>> = {};
    for (const name of this.#used) {
      result[name] = copyOf(bytesOf(this.#columns.get(name)!, this.#length * WORDS[this.#kinds[name]]));
    }
    this.#columns.clear();
    this.#used.clear();
    this.#length = 0;
    return result;
  }

  #put(name: Name, value: number): void {
    if (value === 0 && !this.#required.has(name) && !this.#used.has(name)) return;
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = new Uint32Array(this.#capacity * WORDS[this.#kinds[name]]);
      this.#columns.set(name, column);
    }
    this.#used.add(name);
    if (this.#kinds[name] === "i64") setI64(column, this.#length, value);
    else column[this.#length] = value;
  }

  #grow(): void {
    this.#capacity *= 2;
    for (const [name, column] of this.#columns) {
      const larger = new Uint32Array(this.#capacity * WORDS[this.#kinds[name]]);
      larger.set(column);
      this.#columns.set(name, larger);
    }
  }
}
