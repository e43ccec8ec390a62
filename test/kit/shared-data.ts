import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Path of a file of real data, which is kept beside the repository and never in it: `../shared/data`, or
 * `shared/data`. Undefined where it is absent: a test that needs it says so in its title, and skips.
 */
export function sharedData(name: string): string | undefined {
  return [join(ROOT, "../shared/data", name), join(ROOT, "shared/data", name)].find((path) =>
    existsSync(path),
  );
}
