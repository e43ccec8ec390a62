import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";

const PROGRAM = join(import.meta.dirname, "testing/program.ts");
const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

interface Run {
  readonly child: ChildProcess;
  /** What it said so far. */
  readonly words: () => string[];
  readonly end: Promise<{ code: number | null; words: string[]; errors: string }>;
}

function run(what: string, deadlineMs = 20_000, settings: Record<string, string> = {}): Run {
  const env = { ...process.env, DEADLINE_MS: String(deadlineMs), ...settings };
  const child = spawn(process.execPath, [PROGRAM, what], { env });
  children.add(child);
  let out = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const words = () => out.split("\n").filter(Boolean);
  const end = new Promise<Awaited<Run["end"]>>((resolve) => {
    child.on("close", (code) => resolve({ code, words: words(), errors }));
  });
  return { child, words, end };
}

const says = (program: Run, word: string) =>
  vi.waitFor(() => expect(program.words()).toContain(word), { timeout: 20_000, interval: 10 });

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s drains, closes last-in-first-out and ends well",
  async (signal) => {
    const program = run("serve");
    await says(program, "started");
    program.child.kill(signal);
    expect(await program.end).toEqual({
      code: 0,
      words: ["started", "draining", "server", "database"],
      errors: "",
    });
  },
);

test("with a grace the program works on after the signal, and drains then", async () => {
  const program = run("serve", 20_000, { GRACE_MS: "1000" });
  await says(program, "started");
  program.child.kill("SIGTERM");
  expect((await program.end).words).toEqual([
    "started",
    "signalled",
    "works on",
    "draining",
    "server",
    "database",
  ]);
});

test("a second signal ends the grace, too", async () => {
  const program = run("serve", 20_000, { GRACE_MS: "600000" });
  await says(program, "started");
  program.child.kill("SIGTERM");
  await says(program, "works on");
  program.child.kill("SIGTERM");
  expect((await program.end).code).toBe(1);
});

test("a second signal ends a drain that takes too long", async () => {
  const program = run("hang");
  await says(program, "started");
  program.child.kill("SIGTERM");
  await says(program, "draining");
  program.child.kill("SIGTERM");
  const { code, words } = await program.end;
  expect([code, words]).toEqual([1, ["started", "draining"]]);
});

test("so does the deadline: what is left is still closed, and the exit code is 3", async () => {
  const program = run("hang", 200);
  await says(program, "started");
  program.child.kill("SIGTERM");
  const { code, words, errors } = await program.end;
  expect([code, words]).toEqual([3, ["started", "draining", "database"]]);
  expect(errors).toContain("server: did not close before the deadline");
});

test.each([
  ["refuse", 1, ["database"], /port 80 is taken/],
  ["misconfigure", 2, [], /FOOTFALL_X is required/],
  ["command", 0, ["database"], /^$/],
  ["fail", 7, [], /database: was gone/],
  ["unclean", 3, ["first"], /second: was gone/],
] as const)("%s: exit code %i", async (what, code, words, errors) => {
  expect(await run(what).end).toEqual({ code, words, errors: expect.stringMatching(errors) });
});

test("a signal during the start closes what was acquired, and is no error", async () => {
  const program = run("starting");
  await says(program, "starting");
  program.child.kill("SIGTERM");
  expect(await program.end).toEqual({ code: 0, words: ["starting", "database"], errors: "" });
});
