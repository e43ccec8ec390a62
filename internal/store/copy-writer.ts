import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import type { Client } from "./pool.ts";

/** Signature, flags and header extension of PostgreSQL's binary COPY format. */
const HEADER = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");

/** 2000-01-01 UTC, PostgreSQL's epoch, in ms since 1970-01-01 UTC. */
const PG_EPOCH_MS = 946_684_800_000;

const TWO_POW_32 = 0x1_0000_0000;

/**
 * Writes rows in PostgreSQL's binary COPY format into one growing buffer.
 * https://www.postgresql.org/docs/current/sql-copy.html, section "Binary Format".
 * A row is `row(fields)` followed by exactly that many fields.
 */
export class CopyWriter {
  #buffer: Buffer;
  #at = HEADER.length;
  #rows = 0;

  constructor(capacity = 1 << 20) {
    this.#buffer = Buffer.allocUnsafe(capacity);
    HEADER.copy(this.#buffer);
  }

  get rows(): number {
    return this.#rows;
  }

  row(fields: number): void {
    this.#room(2);
    this.#buffer.writeInt16BE(fields, this.#at);
    this.#at += 2;
    this.#rows++;
  }

  null(): void {
    this.#room(4);
    this.#buffer.writeInt32BE(-1, this.#at);
    this.#at += 4;
  }

  int2(value: number): void {
    this.#field(2);
    this.#buffer.writeInt16BE(value, this.#at - 2);
  }

  int4(value: number): void {
    this.#field(4);
    this.#buffer.writeInt32BE(value, this.#at - 4);
  }

  /** A whole number within ±2^53. */
  int8(value: number): void {
    this.#field(8);
    this.#buffer.writeInt32BE(Math.floor(value / TWO_POW_32), this.#at - 8);
    this.#buffer.writeUInt32BE(value >>> 0, this.#at - 4);
  }

  /** A 64-bit value as its signed high and its low word. */
  int8Words(high: number, low: number): void {
    this.#field(8);
    this.#buffer.writeInt32BE(high | 0, this.#at - 8);
    this.#buffer.writeUInt32BE(low >>> 0, this.#at - 4);
  }

  /** A timestamptz. @param ms since 1970-01-01 UTC. */
  timestamp(ms: number): void {
    const micros = (ms - PG_EPOCH_MS) * 1_000;
    this.#field(8);
    this.#buffer.writeInt32BE(Math.floor(micros / TWO_POW_32), this.#at - 8);
    // Micros of the years 1900 to 2200 stay within 2^53, where `>>> 0` is exact.
    this.#buffer.writeUInt32BE(micros >>> 0, this.#at - 4);
  }

  /** A uuid or bytea: `length` bytes of `source` from `offset`. */
  bytes(source: Uint8Array, offset: number, length: number): void {
    this.#field(length);
    const start = this.#at - length;
    for (let i = 0; i < length; i++) this.#buffer[start + i] = source[offset + i]!;
  }

  /** Text that is UTF-8 already. */
  utf8(source: Buffer): void {
    this.#field(source.length);
    this.#buffer.set(source, this.#at - source.length);
  }

  /** A jsonb value from its text. */
  jsonb(text: string): void {
    const length = Buffer.byteLength(text) + 1;
    this.#field(length);
    // Version 1 of jsonb's binary form is the text behind one byte.
    this.#buffer[this.#at - length] = 1;
    this.#buffer.write(text, this.#at - length + 1);
  }

  /** The finished buffer; valid until `clear`. */
  finish(): Buffer {
    this.#room(2);
    this.#buffer.writeInt16BE(-1, this.#at);
    return this.#buffer.subarray(0, this.#at + 2);
  }

  /** Starts anew in the same memory. */
  clear(): void {
    this.#at = HEADER.length;
    this.#rows = 0;
  }

  #field(length: number): void {
    this.#room(length + 4);
    this.#buffer.writeInt32BE(length, this.#at);
    this.#at += 4 + length;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

/** Sends a writer's rows with a COPY statement. @throws the server's error, as for any statement. */
export async function copyRows(client: Client, statement: string, writer: CopyWriter): Promise<void> {
  if (writer.rows === 0) return;
  const bytes = writer.finish();
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  await pipeline(Readable.from(chunks), client.query(copyFrom(statement)));
}

/** Bytes of one CopyData message. */
const CHUNK_BYTES = 256 << 10;
