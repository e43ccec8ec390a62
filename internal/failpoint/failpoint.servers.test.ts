import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { armFailpoints } from "./failpoint.ts";
import { FAILPOINTS } from "./names.ts";

const module = join(import.meta.dirname, "failpoint.ts");

/** Runs a few lines in a process of its own, with failpoints armed there. */
function run(failpoints: string, lines: string) {
  const source = `import { armFailpoints, failpoint, failpointAtClose } from ${JSON.stringify(module)};
    import { EventEmitter } from "node:events";
    armFailpoints({ failpoints: ${JSON.stringify(failpoints)}, allowFailpoints: true });
    const say = (text) => console.log(text);
    ${lines}`;
  const { signal, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
  });
  return { signal, stdout, stderr };
}

test("an armed failpoint kills the process on the spot, and says which it was", () => {
  const ended = run(
    "commit.before",
    'say("a"); failpoint("copy.before"); failpoint("commit.before"); say("b");',
  );
  expect(ended).toEqual({ signal: "SIGKILL", stdout: "a\n", stderr: "failpoint commit.before\n" });
});

test("the nth passing kills, each failpoint counted for itself", () => {
  const passes = 'for (const n of [1, 2, 3]) { say(n); failpoint("copy.after"); failpoint("copy.before"); }';
  expect(run("copy.before:3,copy.after:2", passes)).toMatchObject({ signal: "SIGKILL", stdout: "1\n2\n" });
  expect(run("copy.before:4", passes)).toMatchObject({ signal: null, stdout: "1\n2\n3\n" });
});

test("a failpoint behind the end of something waits for that end", () => {
  const lines = `const response = new EventEmitter(); failpointAtClose("client-ack.after", response);
    say("open"); response.emit("close"); say("closed");`;
  expect(run("client-ack.after", lines)).toMatchObject({ signal: "SIGKILL", stdout: "open\n" });
  expect(run("", lines)).toEqual({ signal: null, stdout: "open\nclosed\n", stderr: "" });
});

test.each([
  ["commit.befor", "FOOTFALL_FAILPOINTS: commit.befor is none of spool-fsync.before, "],
  ["commit.before:x", "FOOTFALL_FAILPOINTS: commit.before:x is none of "],
  ["commit.before,", "FOOTFALL_FAILPOINTS:  is none of "],
  ["commit.before:0", "FOOTFALL_FAILPOINTS: commit.before:0 counts from 1"],
])("%j is refused", (failpoints, message) => {
  expect(() => armFailpoints({ failpoints, allowFailpoints: true })).toThrow(message);
});

test("failpoints that are not allowed are refused, none are not", () => {
  expect(() => armFailpoints({ failpoints: "copy.after", allowFailpoints: false })).toThrow(
    "FOOTFALL_FAILPOINTS: copy.after would kill this process, and FOOTFALL_ALLOW_FAILPOINTS",
  );
  armFailpoints({ failpoints: "", allowFailpoints: true });
  armFailpoints({});
});

test("a program that is not allowed its failpoints does not start, and says why", () => {
  const main = join(import.meta.dirname, "../../cmd/aggregator/main.ts");
  const env = { ...process.env, DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
  const start = (failpoints: Record<string, string>) =>
    spawnSync(process.execPath, [main, "--ops-port", "0"], {
      encoding: "utf8",
      env: { ...env, ...failpoints },
    });
  const refused = start({ FOOTFALL_FAILPOINTS: "copy.after" });
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain("FOOTFALL_ALLOW_FAILPOINTS (--allow-failpoints) is not true");
  const unknown = start({ FOOTFALL_FAILPOINTS: "copy.later", FOOTFALL_ALLOW_FAILPOINTS: "true" });
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toContain("copy.later is none of");
});

test("each boundary has a point before and one behind it", () => {
  expect(new Set(FAILPOINTS).size).toBe(22);
});
