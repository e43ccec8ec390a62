import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPT = resolve("scripts/breaking.ts");
const PATH = [resolve("node_modules/.bin"), process.env.PATH].join(delimiter);

let folder: string;
let repository: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "footfall-breaking-test-"));
  repository = join(folder, "repository");
  mkdirSync(join(repository, "proto/shop/v1"), { recursive: true });
  git("init", "--quiet");
});
afterEach(() => rmSync(folder, { recursive: true }));

const IDENTITY = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"];
const git = (...args: string[]) =>
  execFileSync("git", [...IDENTITY, ...args], { cwd: repository, stdio: "pipe" });

function write(...fields: string[]): void {
  writeFileSync(
    join(repository, "buf.yaml"),
    "version: v2\nmodules: [{path: proto}]\nbreaking: {use: [FILE]}\n",
  );
  const text = `syntax = "proto3";\npackage shop.v1;\nmessage Event {\n${fields.join("\n")}\n}\n`;
  writeFileSync(join(repository, "proto/shop/v1/event.proto"), text);
}

function commit(): void {
  git("add", ".");
  git("commit", "--quiet", "--allow-empty", "--message", "A state");
}

function breaking(cwd = repository) {
  const { status, stdout } = spawnSync(process.execPath, [SCRIPT], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, PATH },
  });
  return { status, stdout: stdout.trim() };
}

test("before the first release, and of tags without protos, there is nothing to compare with", () => {
  write("string name = 1;");
  expect(breaking()).toEqual({ status: 0, stdout: "no release yet" });
  git("commit", "--quiet", "--allow-empty", "--message", "Nothing yet");
  git("tag", "v0.0.1");
  commit();
  git("tag", "other");
  expect(breaking()).toEqual({ status: 0, stdout: "no release yet" });
});

test("a field that is added breaks nothing, one that is gone or changed since the newest release does", () => {
  write("string name = 1;", "string gone_before = 2;");
  commit();
  git("tag", "v0.9.0");
  write("string name = 1;");
  commit();
  git("tag", "v0.10.0");
  git("tag", "v0.10.0-rc.1", "v0.9.0");
  write("string name = 1;", "string more = 3;");
  expect(breaking()).toEqual({ status: 0, stdout: "nothing breaks since v0.10.0" });
  write("string more = 3;");
  expect(breaking()).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/field "1".*"name".* deleted/),
  });
  write("int32 name = 1;");
  expect(breaking()).toMatchObject({ status: 1, stdout: expect.stringMatching(/name.* changed type/) });
});

test("in a shallow clone without tags, in a worktree, and outside of any repository", () => {
  write("string name = 1;");
  commit();
  git("tag", "v1.0.0");
  commit();
  git("clone", "--quiet", "--depth=1", "--no-tags", `file://${repository}`, join(folder, "shallow"));
  expect(breaking(join(folder, "shallow"))).toEqual({ status: 0, stdout: "no release yet" });
  git("worktree", "add", "--quiet", join(folder, "worktree"));
  expect(breaking(join(folder, "worktree"))).toEqual({ status: 0, stdout: "nothing breaks since v1.0.0" });
  const plain = join(folder, "plain");
  mkdirSync(plain);
  expect(breaking(plain)).toEqual({ status: 0, stdout: "no release yet" });
});
