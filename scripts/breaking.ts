import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Compares the protos with those of the last release, the newest tag v* that has any; exits with 1 where a client of it
// would break. Without such a tag, as in a shallow clone or before the first release, there is nothing to compare with.

const git = (...args: string[]) =>
  execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** What a release must have to be compared with. */
const PARTS = ["buf.yaml", "proto"];

function lastRelease(): string | undefined {
  // v1.0.0-rc.1 comes before v1.0.0.
  const tags = git("-c", "versionsort.suffix=-", "tag", "--list", "v*", "--sort=-version:refname");
  const hasProtos = (tag: string) =>
    git("ls-tree", "--name-only", tag, ...PARTS)
      .trim()
      .split("\n").length === 2;
  return tags.split("\n").find((tag) => tag !== "" && hasProtos(tag));
}

/** @returns what breaks; "" for nothing. */
function breakingSince(tag: string): string {
  const folder = mkdtempSync(join(tmpdir(), "footfall-breaking-"));
  try {
    // Not of .git itself, which buf would clone: that of a worktree or a shallow clone cannot be.
    const archive = join(folder, "release.tar");
    git("archive", "--format=tar", `--output=${archive}`, tag, ...PARTS);
    execFileSync("buf", ["breaking", "--against", archive], { encoding: "utf8", stdio: "pipe" });
    return "";
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}` || String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function isRepository(): boolean {
  try {
    git("rev-parse", "--git-dir");
    return true;
  } catch {
    return false;
  }
}

const tag = isRepository() ? lastRelease() : undefined;
const problems = tag === undefined ? "" : breakingSince(tag);
console.log(
  tag === undefined ? "no release yet" : problems === "" ? `nothing breaks since ${tag}` : problems.trimEnd(),
);
process.exitCode = problems === "" ? 0 : 1;
