import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { from as copyFrom } from "pg-copy-streams";
import type { CopyWriter } from "./copy-writer.ts";
import type { Client } from "./pool.ts";

/**
 * Sends a writer's rows with a COPY statement, and releases the writer.
 * @throws the server's error, as for any statement.
 */
export async function copyRows(client: Client, statement: string, writer: CopyWriter): Promise<void> {
  if (writer.rows === 0) {
    writer.release();
    return;
  }
  const bytes = writer.finish();
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  await send(client, statement, writer, chunks);
}

/**
 * Sends rows with a COPY statement while they are still being written, so that the server is at work on the first
 * when the last are not there yet, and releases the writer.
 * @param slices writes further rows each time it is asked for the next; other work has its turn in between.
 * @throws the server's error, or what `slices` throws: then the statement has failed, and the transaction with it.
 */
export async function copySlices(
  client: Client,
  statement: string,
  writer: CopyWriter,
  slices: Iterable<unknown>,
): Promise<void> {
  await send(client, statement, writer, takenAfterEach(slices, writer));
}

async function* takenAfterEach(slices: Iterable<unknown>, writer: CopyWriter): AsyncIterable<Buffer> {
  for (const _ of slices) {
    yield writer.take();
    await setImmediate();
  }
  yield writer.finish();
}

async function send(
  client: Client,
  statement: string,
  writer: CopyWriter,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<void> {
  await pipeline(chunks, client.query(copyFrom(statement)));
  // Not after an error: the connection may still be about to send of it.
  writer.release();
}

/** Bytes of one CopyData message. */
const CHUNK_BYTES = 256 << 10;
