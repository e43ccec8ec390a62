/** Fixed-width little-endian columns as typed arrays. All supported machines are little-endian. */

const TWO_POW_32 = 0x1_0000_0000;

/** A column of 64-bit signed integers, read without BigInt. Values lie within ±2^53. */
export class I64Column {
  readonly #words: Uint32Array;

  /** @param words low and high word of each value, in turn. */
  constructor(words: Uint32Array) {
    this.#words = words;
  }

  get length(): number {
    return this.#words.length >>> 1;
  }

  get(index: number): number {
    return (this.#words[2 * index + 1]! | 0) * TWO_POW_32 + this.#words[2 * index]!;
  }
}

const scratch = new BigInt64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/** A column of 64-bit signed integers that may lie beyond 2^53: micros. */
export class MicrosColumn {
  readonly #words: Uint32Array;

  /** @param words low and high word of each value, in turn. */
  constructor(words: Uint32Array) {
    this.#words = words;
  }

  get length(): number {
    return this.#words.length >>> 1;
  }

  get(index: number): bigint {
    return bigintOf(this.#words[2 * index]!, this.#words[2 * index + 1]!);
  }
}

/** The 64-bit value with sign of a low and a high word. */
export function bigintOf(low: number, high: number): bigint {
  scratchWords[0] = low;
  scratchWords[1] = high;
  return scratch[0]!;
}

const scratchNumber = new Float64Array(scratch.buffer);

/** The 64 bits of a double as a whole number; of -0 those of 0, which JSON cannot tell from it. */
export function numberBits(value: number): bigint {
  scratchNumber[0] = value + 0;
  return scratch[0]!;
}

/** Writes the index-th 64-bit value. */
export function setMicros(words: Uint32Array, index: number, value: bigint): void {
  scratch[0] = value;
  words[2 * index] = scratchWords[0]!;
  words[2 * index + 1] = scratchWords[1]!;
}

/** Writes a whole number within ±2^53 as the index-th 64-bit value. */
export function setI64(words: Uint32Array, index: number, value: number): void {
  words[2 * index] = value;
  words[2 * index + 1] = Math.floor(value / TWO_POW_32);
}

/** A column's bytes as u32 values: a view where they are aligned, else a copy. */
export function asU32(bytes: Uint8Array): Uint32Array {
  const at = bytes.byteOffset;
  if (at % 4 === 0) return new Uint32Array(bytes.buffer, at, bytes.length >>> 2);
  return new Uint32Array(copyOf(bytes).buffer, 0, bytes.length >>> 2);
}

/** A column's u32 bytes read as signed values, which arithmetic is fastest with. */
export function asI32(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = asU32(bytes);
  return new Int32Array(buffer, byteOffset, length);
}

/** The same bytes at an address that typed arrays can view: themselves, or a copy where that is off by a byte or so. */
export function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : copyOf(bytes);
}

/**
 * `aligned` for columns of which nothing is kept: copies go into memory that is used again after `clear`. Large copies
 * that are forgotten at once would cost a server of many batches more than all that it reads of them.
 */
export class ScratchColumns {
  #bytes = new Uint8Array(64 << 10);
  #at = 0;

  /** The same bytes where typed arrays can view them, valid until `clear`. */
  aligned(bytes: Uint8Array): Uint8Array {
    if (bytes.byteOffset % 4 === 0) return bytes;
    const start = this.#at;
    this.#at = (start + bytes.length + 3) & ~3;
    // What stands in the smaller memory stays valid in it.
    if (this.#at > this.#bytes.length) this.#bytes = new Uint8Array(2 * this.#at);
    this.#bytes.set(bytes, start);
    return this.#bytes.subarray(start, start + bytes.length);
  }

  clear(): void {
    this.#at = 0;
    // What one huge batch took is not kept.
    if (this.#bytes.length > LARGEST_SCRATCH) this.#bytes = new Uint8Array(LARGEST_SCRATCH);
  }
}

/** Bytes. */
const LARGEST_SCRATCH = 4 << 20;

/** A column's bytes as u16 values: a view where they are aligned, else a copy. */
export function asU16(bytes: Uint8Array): Uint16Array {
  const at = bytes.byteOffset;
  if (at % 2 === 0) return new Uint16Array(bytes.buffer, at, bytes.length >>> 1);
  return new Uint16Array(copyOf(bytes).buffer, 0, bytes.length >>> 1);
}

/** A column's bytes as doubles: a view where they are aligned, else a copy. */
export function asF64(bytes: Uint8Array): Float64Array {
  const at = bytes.byteOffset;
  if (at % 8 === 0) return new Float64Array(bytes.buffer, at, bytes.length >>> 3);
  return new Float64Array(copyOf(bytes).buffer, 0, bytes.length >>> 3);
}

/** A column's bytes as 64-bit values within ±2^53. */
export function asI64(bytes: Uint8Array): I64Column {
  return new I64Column(asU32(bytes));
}

/** A column's bytes as 64-bit values. */
export function asMicros(bytes: Uint8Array): MicrosColumn {
  return new MicrosColumn(asU32(bytes));
}

/** The bytes of a typed array's first values, not copied. */
export function bytesOf(array: Uint32Array | Uint16Array | Uint8Array, values: number): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, values * array.BYTES_PER_ELEMENT);
}

/** A copy in memory of its own. `slice` is none for a Buffer: there it makes a view. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Whether any of a column's first values is not zero. */
export function isUsed(column: Uint32Array | Uint16Array, values: number): boolean {
  for (let i = 0; i < values; i++) if (column[i] !== 0) return true;
  return false;
}
