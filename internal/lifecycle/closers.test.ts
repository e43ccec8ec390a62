import { expect, test } from "vitest";
import { CloseError, Closers } from "./closers.ts";

function closersOf(log: string[], closers: Record<string, () => Promise<void> | void>): Closers {
  const all = new Closers();
  for (const [name, close] of Object.entries(closers)) {
    all.add(name, () => {
      log.push(name);
      return close();
    });
  }
  return all;
}

const forEver = () => new Promise<void>(() => {});

test("closers run last-in-first-out, one after the other", async () => {
  const log: string[] = [];
  const slow = async () => {
    await new Promise(setImmediate);
    log.push("slow is done");
  };
  await closersOf(log, { first: () => {}, slow, last: () => {} }).closeAll(1_000);
  expect(log).toEqual(["last", "slow", "slow is done", "first"]);
});

test("each runs once, also when closing is asked for twice", async () => {
  const log: string[] = [];
  const closers = closersOf(log, { a: () => {}, b: () => {} });
  await Promise.all([closers.closeAll(1_000), closers.closeAll(1_000)]);
  await closers.closeAll(1_000);
  expect(log.sort()).toEqual(["a", "b"]);
});

test("one that throws or rejects keeps no other from running, and all are named", async () => {
  const log: string[] = [];
  const closers = closersOf(log, {
    first: () => {},
    rejects: () => Promise.reject(new Error("was gone")),
    between: () => {},
    throws: () => {
      throw new Error("bad state");
    },
  });
  const error: unknown = await closers.closeAll(1_000).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(CloseError);
  expect((error as CloseError).message).toBe("throws: bad state\nrejects: was gone");
  expect(log).toEqual(["throws", "between", "rejects", "first"]);
});

test("the deadline is for all together: after it the others are still started", async () => {
  const log: string[] = [];
  const closers = closersOf(log, { quick: () => {}, alsoStuck: forEver, stuck: forEver });
  const started = performance.now();
  await expect(closers.closeAll(100)).rejects.toThrow(
    "stuck: did not close before the deadline\nalsoStuck: did not close before the deadline",
  );
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(log).toEqual(["stuck", "alsoStuck", "quick"]);
});

test("what fails after the deadline is no unhandled rejection", async () => {
  const late = Promise.withResolvers<void>();
  await expect(closersOf([], { late: () => late.promise }).closeAll(10)).rejects.toThrow("deadline");
  late.reject(new Error("too late to matter"));
  await new Promise(setImmediate);
});
