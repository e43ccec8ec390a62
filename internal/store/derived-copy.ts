import type { CopyWriter } from "./copy-writer.ts";
import type { DerivedTexts } from "./event-columns.ts";

const LENGTH_BYTES = 4;

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
    const encoded = texts === undefined ? this.#nulls : encodeOnce(texts);
    this.#encoded[key] = encoded;
    return encoded;
  }
}

/** By the list itself: the steps remember what they derive, and give the same list again. */
const known = new WeakMap<readonly (string | null)[], Uint8Array>();

function encodeOnce(texts: readonly (string | null)[]): Uint8Array {
  let encoded = known.get(texts);
  if (encoded === undefined) {
    encoded = encode(texts);
    known.set(texts, encoded);
  }
  return encoded;
}

/** Fields of the binary COPY format: length and bytes, -1 for null. An empty text is null. */
function encode(texts: readonly (string | null)[]): Uint8Array {
  const lengths = texts.map((text) => (text === null ? 0 : Buffer.byteLength(text)));
  const encoded = Buffer.alloc(lengths.reduce((sum, length) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    at = encoded.writeInt32BE(length === 0 ? -1 : length, at);
    if (length > 0) at += encoded.write(texts[index]!, at);
  }
  return encoded;
}
