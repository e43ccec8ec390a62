import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Everything that can be said about the code without running it. The checks run side by side; the output of
// those that fail is printed.

interface Check {
  readonly name: string;
  readonly run: () => Promise<string | undefined>;
}

/** @returns the command's output when it fails. */
function command(program: string, ...args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    child.stderr.on("data", (text) => {
      output += text;
    });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(code === 0 ? undefined : output || `exit code ${code}`));
  });
}

/** The generated code equals what the .proto files give. */
async function generatedIsCurrent(): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "footfall-generate-"));
  try {
    const template = join(folder, "buf.gen.yaml");
    writeFileSync(
      template,
      readFileSync("buf.gen.yaml", "utf8").replace("internal/gen", folder).replace("clean: true", ""),
    );
    const failure = await command("buf", "generate", "--template", template);
    if (failure !== undefined) return failure;
    const stale = globSync("**/*_pb.*", { cwd: folder }).filter(
      (file) => readFileSync(join(folder, file), "utf8") !== read(join("internal/gen", file)),
    );
    const gone = globSync("**/*_pb.*", { cwd: "internal/gen" }).filter(
      (file) => read(join(folder, file)) === "",
    );
    const wrong = [...stale, ...gone];
    return wrong.length === 0 ? undefined : `not current, run \`npm run generate\`: ${wrong.join(", ")}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const CHECKS: readonly Check[] = [
  { name: "types", run: () => command("tsc", "-p", ".") },
  { name: "lint and format", run: () => command("biome", "ci", ".") },
  { name: "proto lint", run: () => command("buf", "lint") },
  { name: "breaking protos", run: () => command("node", "scripts/breaking.ts") },
  { name: "generated code", run: generatedIsCurrent },
  { name: "configuration page", run: () => command("node", "scripts/configuration-page.ts", "--check") },
  { name: "metrics page", run: () => command("node", "scripts/metrics-page.ts", "--check") },
  { name: "licences", run: () => command("node", "scripts/licences.ts", "--quiet") },
  {
    name: "layers, words and names",
    run: () => command("vitest", "run", "internal/layers.test.ts", "test/house"),
  },
];

const results = await Promise.all(
  CHECKS.map(async ({ name, run }) => {
    const started = performance.now();
    const failure = await run();
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    process.stdout.write(
      `${failure === undefined ? "ok    " : "FAILED"} ${name} (${seconds} s)\n${failure ?? ""}`,
    );
    return failure === undefined;
  }),
);
process.exitCode = results.every(Boolean) ? 0 : 1;
