import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** The files of these patterns below the project's folder, with their text; generated code left out. */
export function readFiles(...patterns: string[]): { readonly file: string; readonly text: string }[] {
  return globSync(patterns, { cwd: ROOT, exclude: ["**/node_modules/**", "internal/gen/**"] }).map(
    (file) => ({
      file,
      text: readFileSync(join(ROOT, file), "utf8"),
    }),
  );
}
