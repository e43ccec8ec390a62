import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Failure } from "../../failure/failure.ts";
import { FailedTries } from "./failed-tries.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Tries and fails. @returns how long to wait instead, ms; undefined when it may be tried. */
function fail(tries: FailedTries, address: string): number | undefined {
  const asker = tries.of(address)!;
  try {
    asker.mayAsk();
  } catch (error) {
    expect((error as Failure).kind).toBe("exhausted");
    return (error as Failure).retryAfterMs;
  }
  asker.failed();
  return undefined;
}

test("an address has 50 failures at once and 5 a second; others have their own", () => {
  const tries = new FailedTries(() => false);
  const allowed = (address: string, count: number) =>
    Array.from({ length: count }, () => fail(tries, address)).filter((wait) => wait === undefined).length;
  expect(allowed("203.0.113.1", 1_000)).toBe(50);
  expect(fail(tries, "203.0.113.1")).toBe(200);
  expect(allowed("203.0.113.2", 10)).toBe(10);
  vi.advanceTimersByTime(10_000);
  expect(allowed("203.0.113.1", 1_000)).toBe(50);
  vi.advanceTimersByTime(2_000);
  expect(allowed("203.0.113.1", 1_000)).toBe(10);
});

test("the addresses of an IPv6 /64 are one", () => {
  const tries = new FailedTries(() => false);
  const waits = Array.from({ length: 60 }, (_, at) => fail(tries, `2001:db8:1:2::${at.toString(16)}`));
  expect(waits.filter((wait) => wait === undefined)).toHaveLength(50);
  expect(fail(tries, "2001:db8:1:3::1")).toBeUndefined();
});

test("many that fail at the same moment cost half a minute at most", () => {
  const tries = new FailedTries(() => false);
  const asker = tries.of("203.0.113.1")!;
  for (let at = 0; at < 10_000; at++) asker.failed();
  expect(fail(tries, "203.0.113.1")).toBeLessThanOrEqual(30_200);
  vi.advanceTimersByTime(30_200);
  expect(fail(tries, "203.0.113.1")).toBeUndefined();
});

test("of many addresses those that failed longest ago are forgotten", () => {
  const tries = new FailedTries(() => false);
  const first = tries.of("203.0.113.1")!;
  for (let at = 0; at < 50; at++) first.failed();
  expect(fail(tries, "203.0.113.1")).toBe(200);
  for (let at = 0; at < 50_000; at++) tries.of(`10.0.${at >> 8}.${at & 255}`)!.failed();
  expect(fail(tries, "203.0.113.1")).toBeUndefined();
});
