import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withRetry } from "./retry.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const PAUSES = { firstMs: 100, longestMs: 1_000 };

/** Work that fails with these errors, then succeeds; it writes down when it was tried, ms since the first. */
function workOf(...errors: readonly unknown[]) {
  const started = performance.now();
  const times: number[] = [];
  const work = async () => {
    times.push(performance.now() - started);
    if (times.length <= errors.length) throw errors[times.length - 1];
    return "done";
  };
  return { work, times };
}

/** The outcome, with all time that it takes gone by. */
async function outcomeOf<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [settled] = await Promise.all([Promise.allSettled([promise]), vi.runAllTimersAsync()]);
  return settled[0];
}

test("pauses double up to the longest, each spread by chance", async () => {
  const { work, times } = workOf(...Array.from({ length: 8 }, () => new Error("away")));
  expect(await outcomeOf(withRetry(work, PAUSES))).toMatchObject({ value: "done" });
  const pauses = times.slice(1).map((time, at) => time - times[at]!);
  for (const [at, pause] of pauses.entries()) {
    expect(pause).toBeGreaterThanOrEqual(Math.min(100 * 2 ** at, 500) - 1);
    expect(pause).toBeLessThanOrEqual(Math.min(200 * 2 ** at, 1_000) + 1);
  }
});

test("whatever is thrown is tried again, and thrown as it came after the last try", async () => {
  for (const thrown of [new TypeError("x is not a function"), "a text", undefined]) {
    const { work, times } = workOf(thrown, thrown, thrown);
    const told: unknown[] = [];
    const options = {
      ...PAUSES,
      tries: 3,
      onFailed: (error: unknown, tried: number) => told.push([error, tried]),
    };
    expect(await outcomeOf(withRetry(work, options))).toEqual({ status: "rejected", reason: thrown });
    expect(times.length).toBe(3);
    expect(told).toEqual([1, 2, 3].map((tried) => [thrown, tried]));
  }
});

test("an error that no other try would mend is thrown at once", async () => {
  const refused = new Error("refused");
  const { work, times } = workOf(new Error("away"), refused);
  const outcome = await outcomeOf(withRetry(work, { ...PAUSES, isRetryable: (error) => error !== refused }));
  expect(outcome).toMatchObject({ reason: refused });
  expect(times.length).toBe(2);
});

test("no try begins before the time that the error asks to wait", async () => {
  vi.useRealTimers();
  const { work, times } = workOf(new Error("busy"));
  await withRetry(work, { firstMs: 1, longestMs: 1, askedMs: () => 80 });
  expect(times[1]).toBeGreaterThanOrEqual(79);
});

test("no try begins after the end", async () => {
  const { work, times } = workOf(...Array.from({ length: 100 }, () => new Error("away")));
  expect((await outcomeOf(withRetry(work, { ...PAUSES, withinMs: 3_000 }))).status).toBe("rejected");
  expect(times.at(-1)).toBeLessThanOrEqual(3_001);
});

test("an abort ends a pause at once, and not a try that is under way", async () => {
  const stop = new AbortController();
  const { work, times } = workOf(new Error("away"));
  const pausing = withRetry(work, { firstMs: 60_000, longestMs: 120_000, signal: stop.signal });
  const ended = expect(pausing).rejects.toBe("stopped");
  await vi.advanceTimersByTimeAsync(10);
  stop.abort("stopped");
  await ended;
  expect(times.length).toBe(1);

  const second = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  const working = withRetry(() => promise, { ...PAUSES, signal: second.signal });
  second.abort("stopped");
  resolve("committed");
  expect(await working).toBe("committed");
});

test("after a try that worked for long pauses are short again", async () => {
  const times: number[] = [];
  const started = performance.now();
  const work = async () => {
    times.push(performance.now() - started);
    if (times.length === 5) await new Promise((resolve) => setTimeout(resolve, 60_000));
    if (times.length < 7) throw new Error("ended");
  };
  await outcomeOf(withRetry(work, { ...PAUSES, stableMs: 60_000 }));
  expect(times[5]! - times[4]!).toBeLessThan(60_010);
  expect(times[6]! - times[5]!).toBeLessThanOrEqual(201);
});
