import type { CopyWriter } from "./copy-writer.ts";
import type { DerivedTexts } from "./event-columns.ts";

/** Writes derived texts as fields of rows: those of one key are encoded once, and copied for each row. */
export class DerivedCopy {
  readonly #derived: DerivedTexts;
  readonly #encoded: (Uint8Array | undefined)[] = [];
  readonly #nulls: Uint8Array;

  /** @param width number of columns. */
  constructor(derived: DerivedTexts, width: number) {
    this.#derived = derived;
    this.#nulls = encode(new Array<null>(width).fill(null));
  }

  write(to: CopyWriter, row: number): void {
    const key = this.#derived.keys?.[row];
    to.fields(key === undefined ? this.#nulls : (this.#encoded[key] ?? this.#encode(key)));
  }

  #encode(key: number): Uint8Array {
    const texts = this.#derived.texts[key];
    const encoded = texts === undefined ? this.#nulls : encode(texts);
    this.#encoded[key] = encoded;
    return encoded;
  }
}

/** Fields of the binary COPY format: length and bytes, -1 for null. An empty text is null. */
function encode(texts: readonly (string | null)[]): Uint8Array {
  const fields = texts.flatMap((text) => {
    const length = Buffer.alloc(4);
    if (text === null || text === "") {
      length.writeInt32BE(-1);
      return [length];
    }
    const bytes = Buffer.from(text);
    length.writeInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(fields);
}
