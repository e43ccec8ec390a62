import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A place in node_modules/.cache for what is costly to make and may be deleted at any time. */
export function cachePath(name: string): string {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  return join(root, "node_modules", ".cache", "footfall", name);
}
