/**
 * A program for run-program.servers.test.ts: `node program.ts WHAT`. It tells what it does on standard output, a word a
 * line, and takes the closing deadline from DEADLINE_MS.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError } from "../../config/config-error.ts";
import { type Life, runProgram } from "../run-program.ts";

const say = (word: string) => void process.stdout.write(`${word}\n`);
const forEver = () => new Promise<void>(() => setInterval(() => {}, 1_000));

/** Tells that the program works on after the signal. */
function sayWhenSignalled(life: Life): void {
  process.on("SIGTERM", () => setTimeout(() => say(life.stopping.aborted ? "stopped" : "works on"), 50));
}

const WHAT: Record<string, (life: Life) => Promise<void>> = {
  async serve(life) {
    life.onClose("database", () => say("database"));
    life.onClose("server", async () => {
      say(life.stopping.aborted ? "draining" : "not told");
      await sleep(20);
      say("server");
    });
    setInterval(() => {}, 1_000);
    if (process.env.GRACE_MS !== undefined) sayWhenSignalled(life);
    say("started");
  },
  async hang(life) {
    life.onClose("database", () => say("database"));
    life.onClose("server", () => {
      say("draining");
      return forEver();
    });
    say("started");
    setInterval(() => {}, 1_000);
  },
  async refuse(life) {
    life.onClose("database", () => say("database"));
    throw new Error("port 80 is taken");
  },
  async misconfigure() {
    throw new ConfigError("FOOTFALL_X is required");
  },
  async command(life) {
    life.onClose("database", () => say("database"));
    life.stop("done", 0);
    life.stop("too late", 9);
  },
  async fail(life) {
    life.onClose("database", () => {
      throw new Error("was gone");
    });
    life.stop("cannot go on", 7);
  },
  async unclean(life) {
    life.onClose("first", () => say("first"));
    life.onClose("second", () => Promise.reject(new Error("was gone")));
    life.stop("done", 0);
  },
  async starting(life) {
    life.onClose("database", () => say("database"));
    say("starting");
    await sleep(60_000, undefined, { signal: life.stopping });
  },
};

const options = {
  closeDeadlineMs: Number(process.env.DEADLINE_MS ?? 20_000),
  graceMs: Number(process.env.GRACE_MS ?? 0),
  ...(process.env.GRACE_MS === undefined ? {} : { onSignal: () => say("signalled") }),
};
await runProgram(WHAT[process.argv[2]!]!, options);
