import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** Folder of internal/ to its height: 0 is the top row of the table. */
function readLayers(): Map<string, number> {
  const text = readFileSync(join(root, "internal/README.md"), "utf8");
  const table = text.matchAll(/^\| [a-z]+ \| ([a-z0-9, -]+) \|/gm);
  const heights = new Map<string, number>();
  let height = 0;
  for (const [, folders] of table) {
    if (folders === "folders") continue;
    for (const folder of folders!.split(", ")) heights.set(folder, height);
    height++;
  }
  return heights;
}

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Imports of one another in files that match, tests and generated code left out. */
function readImports(pattern: string): Import[] {
  const files = globSync(pattern, { cwd: root }).filter(
    (file) => !/\.test\.ts$|\/testing\/|^internal\/gen\//.test(file),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const targets = [...text.matchAll(/(?:from|import) "(\.[^"]+)"/g)].map(([, path]) =>
      normalize(join(dirname(file), path!)),
    );
    return targets.map((to) => ({ file, from: file.split("/")[1]!, to }));
  });
}

const layers = readLayers();
const imports = readImports("internal/*/**/*.ts");

test("every folder of internal/ stands in the table of layers", () => {
  const folders = new Set(
    globSync("internal/*/**/*.{ts,js}", { cwd: root }).map((file) => file.split("/")[1]),
  );
  expect([...folders].filter((folder) => !layers.has(folder!))).toEqual([]);
  expect(layers.size).toBeGreaterThan(10);
});

test("imports go downwards only", () => {
  const wrong = imports.filter(({ from, to }) => {
    if (!to.startsWith("internal/")) return true;
    const target = to.split("/")[1]!;
    return target !== from && !(layers.get(target)! > layers.get(from)!);
  });
  expect(wrong).toEqual([]);
  expect(imports.length).toBeGreaterThan(100);
});

test("no product file imports a harness, and no harness another one", () => {
  const wrong = [
    ...readImports("cmd/**/*.ts").filter(({ to }) => to.startsWith("test/")),
    ...readImports("test/*/**/*.ts").filter(
      ({ from, to }) => to.startsWith("test/") && !["kit", from].includes(to.split("/")[1]!),
    ),
  ];
  expect(wrong).toEqual([]);
});

test("storage, streams and the lake know no wire types", () => {
  const wrong = imports.filter(
    ({ from, to }) => ["store", "stream", "lake"].includes(from) && to.startsWith("internal/gen"),
  );
  expect(wrong).toEqual([]);
});

test("main.ts is short", () => {
  const long = globSync("{cmd,test}/*/main.ts", { cwd: root }).filter(
    (file) => readFileSync(join(root, file), "utf8").split("\n").length > 41,
  );
  expect(long).toEqual([]);
});
