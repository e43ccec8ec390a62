import { expect, test } from "vitest";
import { readFiles } from "./files.ts";

/** Each program's own wiring has the names of its file: cmd/collector/start.ts and cmd/ingest/start.ts. */
const place = (file: string) => file.replace(/^cmd\/[^/]+\//, "cmd/*/");

/** Places where functions of a name are exported, by the name. */
function exportedFunctions(): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const { file, text } of readFiles("{cmd,internal,test,bench,scripts}/**/*.ts")) {
    for (const [, name] of text.matchAll(/^export (?:async )?function\*? (\w+)/gm)) {
      places.set(name!, [...(places.get(name!) ?? []), place(file)]);
    }
  }
  return places;
}

test("two exported functions of one name are one", () => {
  const functions = exportedFunctions();
  expect(functions.size).toBeGreaterThan(800);
  const shared = [...functions].filter(([, files]) => new Set(files).size > 1);
  expect(shared.map(([name, files]) => `${name}: ${files.join(", ")}`)).toEqual([]);
});
