/** Signature, flags and header extension of PostgreSQL's binary COPY format. */
const HEADER = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");

/** 2000-01-01 UTC, PostgreSQL's epoch, in ms since 1970-01-01 UTC. */
const PG_EPOCH_MS = 946_684_800_000;

const TWO_POW_32 = 0x1_0000_0000;

/** From this length on a native copy is quicker than a loop, bytes. */
const LONG_BYTES = 24;
/** UTF-8 takes at most so many bytes for a character of a string (a UTF-16 code unit). */
const MOST_BYTES_OF_CHARACTER = 3;

/**
 * Writes rows in PostgreSQL's binary COPY format into one growing buffer.
 * https://www.postgresql.org/docs/current/sql-copy.html, section "Binary Format".
 * A row is `row(fields)` followed by exactly that many fields.
 */
export class CopyWriter {
  #buffer: Buffer;
  /** The buffer, for numbers. */
  #view: DataView;
  #at = HEADER.length;
  #taken = 0;
  #rows = 0;

  constructor(capacity = 1 << 20) {
    this.#buffer = spareBuffer() ?? Buffer.allocUnsafe(capacity);
    this.#view = viewOf(this.#buffer);
    HEADER.copy(this.#buffer);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Where the next field begins: more than 0, valid until `release`. */
  get position(): number {
    return this.#at;
  }

  row(fields: number): void {
    this.#room(2);
    this.#view.setInt16(this.#at, fields);
    this.#at += 2;
    this.#rows++;
  }

  null(): void {
    this.#room(4);
    this.#view.setInt32(this.#at, -1);
    this.#at += 4;
  }

  nulls(fields: number): void {
    this.#room(4 * fields);
    const end = this.#at + 4 * fields;
    for (; this.#at < end; this.#at += 4) this.#view.setInt32(this.#at, -1);
  }

  bool(value: boolean): void {
    const at = this.#field(1);
    this.#buffer[at] = value ? 1 : 0;
  }

  int2(value: number): void {
    const at = this.#field(2);
    this.#view.setInt16(at, value);
  }

  int4(value: number): void {
    const at = this.#field(4);
    this.#view.setInt32(at, value);
  }

  /** A whole number within ±2^53. */
  int8(value: number): void {
    this.int8Words(Math.floor(value / TWO_POW_32), value >>> 0);
  }

  /** A 64-bit value with sign. */
  int8Exact(value: bigint): void {
    const at = this.#field(8);
    this.#view.setBigInt64(at, value);
  }

  /** A 64-bit value as its high and its low word. */
  int8Words(high: number, low: number): void {
    const at = this.#field(8);
    this.#view.setInt32(at, high);
    this.#view.setInt32(at + 4, low);
  }

  /** A timestamptz. @param ms since 1970-01-01 UTC; of the years 1900 to 2200, so that micros stay exact. */
  timestamp(ms: number): void {
    this.int8((ms - PG_EPOCH_MS) * 1_000);
  }

  /** A uuid, bytea or text (UTF-8): the bytes of `source` from `start` to `end`. */
  bytes(source: Uint8Array, start: number, end: number): void {
    const at = this.#field(end - start);
    const buffer = this.#buffer;
    if (end - start >= LONG_BYTES) {
      copy.call(source, buffer, at, start, end);
      return;
    }
    for (let i = start; i < end; i++) buffer[at + i - start] = source[i]!;
  }

  text(value: string): void {
    this.#room(4 + MOST_BYTES_OF_CHARACTER * value.length);
    this.#endField(this.#at + 4, this.#buffer.write(value, this.#at + 4));
  }

  /** A jsonb value from its text. */
  jsonb(text: string): void {
    this.#room(5 + MOST_BYTES_OF_CHARACTER * text.length);
    const start = this.#at + 4;
    // Version 1 of jsonb's binary form is the text behind one byte.
    this.#buffer[start] = 1;
    this.#endField(start, 1 + this.#buffer.write(text, start + 1));
  }

  /** The fields that this writer wrote from one `position` to another, once more. */
  again(start: number, end: number): void {
    const length = end - start;
    this.#room(length);
    const [buffer, at] = [this.#buffer, this.#at];
    if (length >= LONG_BYTES) buffer.copyWithin(at, start, end);
    else for (let i = 0; i < length; i++) buffer[at + i] = buffer[start + i]!;
    this.#at = at + length;
  }

  /** What was written since it was last asked for, in whole rows; valid until `release`. */
  take(): Buffer {
    const start = this.#taken;
    this.#taken = this.#at;
    return this.#buffer.subarray(start, this.#at);
  }

  /** What `take` has not given away, and the end of the data behind it; valid until `release`. */
  finish(): Buffer {
    this.#room(2);
    this.#view.setInt16(this.#at, -1);
    return this.#buffer.subarray(this.#taken, this.#at + 2);
  }

  /** Gives the memory away to the next writer; only `rows` may be asked for afterwards. */
  release(): void {
    keepSpare(this.#buffer);
    this.#buffer = NOTHING;
    this.#view = viewOf(NOTHING);
  }

  /**
   * Writes a field's length and makes room for it; the buffer may be another one afterwards.
   * @returns where its bytes begin.
   */
  #field(length: number): number {
    this.#room(length + 4);
    this.#view.setInt32(this.#at, length);
    const start = this.#at + 4;
    this.#at = start + length;
    return start;
  }

  /** Writes the length of a field whose bytes are there. */
  #endField(start: number, length: number): void {
    this.#view.setInt32(start - 4, length);
    this.#at = start + length;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

/**
 * Buffers of writers that are done. A new buffer for each commit would cost the collector of garbage a tenth of the
 * aggregator's time: what lies outside of V8's heap makes it look through all of the heap.
 */
const spares: Buffer[] = [];
const MOST_SPARES = 4;
/** A buffer that one huge commit made is not kept, bytes. */
const LARGEST_SPARE = 16 << 20;
const NOTHING = Buffer.alloc(0);

function spareBuffer(): Buffer | undefined {
  return spares.pop();
}

function keepSpare(buffer: Buffer): void {
  if (spares.length === MOST_SPARES || buffer.length === 0 || buffer.length > LARGEST_SPARE) return;
  spares.push(buffer);
  // The largest is taken first: events are written before their items.
  spares.sort((a, b) => a.length - b.length);
}

/** Of any Uint8Array into another, which `set` would need a view of the part for. */
const { copy } = Buffer.prototype;

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
