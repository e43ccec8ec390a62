import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** How much of a log's beginning counts, bytes. */
export const IDENTITY_BYTES = 4_096;

/** As identityOf, of an open file. @throws when it cannot be read. */
export async function fileIdentity(handle: FileHandle, finished: boolean): Promise<string | undefined> {
  const buffer = Buffer.alloc(IDENTITY_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, IDENTITY_BYTES, 0);
  return identityOf(buffer.subarray(0, bytesRead), finished);
}

/**
 * Identity of a log's content: SHA-256, in hex, of its first line, of which the first 4 KiB count. It is the
 * same under any path and inode, compressed or not, and after growth; a rotated or truncated log begins with another
 * line. Directives ("#Version: 1.0") are passed over where a line follows within the 4 KiB: all logs have them.
 * @param head the log's first 4 KiB, or so much as there is.
 * @returns undefined while that line is unfinished, unless `finished` says that the log will not grow.
 */
export function identityOf(head: Buffer, finished: boolean): string | undefined {
  const clipped = head.subarray(0, IDENTITY_BYTES);
  const start = firstLine(clipped);
  const end = clipped.indexOf(0x0a, start);
  if (end < 0 && clipped.length < IDENTITY_BYTES && !finished) return undefined;
  const line = end < 0 ? clipped.subarray(start) : clipped.subarray(start, end);
  return createHash("sha256").update(line).digest("hex");
}

/** Where the first line begins that is no directive. */
function firstLine(head: Buffer): number {
  let start = 0;
  while (head[start] === 0x23) {
    const end = head.indexOf(0x0a, start);
    if (end < 0) return start;
    start = end + 1;
  }
  return start;
}
