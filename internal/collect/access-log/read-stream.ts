import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { IDENTITY_BYTES, identityOf } from "./file-identity.ts";
import { type Line, LineSplitter } from "./line-splitter.ts";

/**
 * The bytes of a log that can only be read from its beginning: standard input for "-", or a gzip file.
 * @returns undefined for any other file.
 */
export async function streamOf(path: string): Promise<AsyncIterable<Buffer> | undefined> {
  if (path === "-") return process.stdin;
  if (!(await isGzip(path))) return undefined;
  const unpacked = createGunzip();
  // A file that breaks off, or is away, ends the reading of what comes out of it.
  pipeline(createReadStream(path), unpacked, () => {});
  return unpacked;
}

/** Reads a log in chunks of lines, in order; the log ends with the bytes, or when the signal is aborted. */
export async function* readStream(
  bytes: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Line[]> {
  let head: Buffer = Buffer.alloc(0);
  let splitter: LineSplitter | undefined;
  for await (const chunk of bytes) {
    let next = chunk;
    if (splitter === undefined) {
      head = next = Buffer.concat([head, chunk]);
      const file = identityOf(head, head.length >= IDENTITY_BYTES);
      if (file === undefined) continue;
      splitter = new LineSplitter(file, 0, 1);
    }
    const lines = splitter.push(next);
    if (lines.length > 0) yield lines;
    if (signal?.aborted) return;
  }
  if (splitter === undefined) {
    splitter = new LineSplitter(identityOf(head, true)!, 0, 1);
    const lines = splitter.push(head);
    if (lines.length > 0) yield lines;
  }
  const last = splitter.flush();
  if (last.length > 0) yield last;
}

/** Whether a file begins as gzip does (RFC 1952). @throws when it cannot be read. */
async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b;
  } finally {
    await handle.close();
  }
}
