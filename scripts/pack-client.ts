import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";

// Packs the command line client as an npm package of its own, without dependencies, into the folder that is given
// (default: this one): Node runs no TypeScript that lies in node_modules (docs/decisions/013-client-package.md).

const { version, license } = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, string>;

/** What the bundle is made of besides; each with its licence. */
async function bundle(file: string): Promise<Set<string>> {
  const build = await rolldown({ input: "cmd/footfall/main.ts", platform: "node", logLevel: "warn" });
  const { output } = await build.write({ file, format: "esm", codeSplitting: false });
  await build.close();
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
  return new Set(
    modules.flatMap((id) => /(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []).sort(),
  );
}

/** The licences of what was bundled: permissive ones ask for that. */
function licences(packages: ReadonlySet<string>): string {
  return [...packages]
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const found = ["LICENSE", "LICENSE.md", "license", "LICENCE", "LICENSE.txt"].flatMap((file) => {
        try {
          return [readFileSync(join(folder, file), "utf8").trim()];
        } catch {
          return [];
        }
      });
      return [`${name} ${version} (${license})`, ...found.slice(0, 1)].join("\n\n");
    })
    .join(`\n\n${"-".repeat(80)}\n\n`);
}

const folder = mkdtempSync(join(tmpdir(), "footfall-client-"));
try {
  const manifest = {
    name: "footfall",
    version,
    description: "Asks a Footfall for a merchant's reports, at the command line.",
    license,
    type: "module",
    bin: { footfall: "footfall.js" },
    engines: { node: ">=22" },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, undefined, 2));
  writeFileSync(join(folder, "LICENSES.txt"), licences(await bundle(join(folder, "footfall.js"))));
  copyFileSync("LICENSE", join(folder, "LICENSE"));
  copyFileSync("docs/reports.md", join(folder, "README.md"));
  const target = resolve(process.argv[2] ?? ".");
  mkdirSync(target, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", target], {
    cwd: folder,
    encoding: "utf8",
  });
  process.stdout.write(`${join(target, packed.trim())}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
