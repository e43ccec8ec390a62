import { readFileSync } from "node:fs";

/** The text of a statement's file, relative to the caller's module. Read once, at import. */
export function sqlFile(name: string, base: string): string {
  return readFileSync(new URL(name, base), "utf8");
}
