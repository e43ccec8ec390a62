import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new empty directory, and the function that removes it with all it holds. */
export async function temporaryDirectory(name: string): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `footfall-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
