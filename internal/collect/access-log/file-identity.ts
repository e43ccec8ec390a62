import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** How much of a first line counts, bytes. */
const CLIP = 4_096;

/**
 * Identity of a log's content: SHA-256, in hex, of its first line, of which the first 4 KiB count. It is the
 * same under any path and inode, and after growth; a rotated or truncated log begins with another line.
 * @returns undefined while the first line is unfinished, unless `finished` says that the file will not grow.
 * @throws when the file cannot be read.
 */
export async function fileIdentity(handle: FileHandle, finished: boolean): Promise<string | undefined> {
  const buffer = Buffer.alloc(CLIP);
  const { bytesRead } = await handle.read(buffer, 0, CLIP, 0);
  const head = buffer.subarray(0, bytesRead);
  const end = head.indexOf(0x0a);
  if (end < 0 && bytesRead < CLIP && !finished) return undefined;
  const line = end < 0 ? head : head.subarray(0, end);
  return createHash("sha256").update(line).digest("hex");
}
