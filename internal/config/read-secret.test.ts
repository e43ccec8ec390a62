import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Files } from "./changing-file.ts";
import { ConfigError } from "./config-error.ts";
import { readConfig } from "./read-config.ts";
import { integer } from "./setting.ts";

const program = {
  name: "sample",
  description: "",
  settings: { pin: { env: "PIN", description: "a number", schema: integer(0, 9_999), secret: true } },
} as const;

let folder: string;
let path: string;
let now = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "footfall-secret-"));
  path = join(folder, "pin");
  now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const read = (env: NodeJS.ProcessEnv, files?: Files) => readConfig(program, [], env, new Set(), files).pin;

/** As Kubernetes and careful operators do it; a second passes. */
function replace(text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  now += 1_500;
}

test("a secret stands in its variable or in a file, whose end may have white space", () => {
  writeFileSync(path, "1234 \r\n\n");
  expect(read({ PIN: "12" })()).toBe(12);
  expect(read({ PIN_FILE: path })()).toBe(1_234);
  expect(read({ PIN: "", PIN_FILE: path })()).toBe(1_234);
});

test("a file that is replaced is read anew; a broken one leaves the former value, and is told of", () => {
  const files = new Files();
  const told: unknown[] = [];
  files.onChange = (...change) => told.push(change);
  writeFileSync(path, "1\n");
  const pin = read({ PIN_FILE: path }, files);
  expect(files.look()).toEqual([{ path, problem: undefined }]);
  replace("2");
  expect(pin()).toBe(2);
  replace("hunter2");
  expect([pin(), pin()]).toEqual([2, 2]);
  expect(files.look()).toEqual([{ path, problem: "the value is not a whole number" }]);
  rmSync(path);
  now += 1_500;
  expect(pin()).toBe(2);
  replace("3");
  expect(pin()).toBe(3);
  expect(told).toEqual([
    [path, undefined],
    [path, "the value is not a whole number"],
    [path, `"${path}" cannot be read: ENOENT`],
    [path, undefined],
  ]);
});

test.each([
  [{}, "PIN or PIN_FILE is required: a number"],
  [{ PIN: "1", PIN_FILE: "/x" }, "PIN and PIN_FILE are both given"],
  [{ PIN_FILE: "/nowhere/pin" }, 'PIN_FILE: "/nowhere/pin" cannot be read: ENOENT'],
  [{ PIN: "hunter2" }, "PIN: the value is not a whole number"],
])("%j is refused: %s", (env, message) => {
  expect(() => read(env)).toThrow(new ConfigError(message));
});

test("what a file holds is not repeated when it is refused", () => {
  writeFileSync(path, "hunter2");
  expect(() => read({ PIN_FILE: path })).toThrow(
    new ConfigError("PIN_FILE: the value is not a whole number"),
  );
});
