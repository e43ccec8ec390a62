import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Budgets } from "./budgets.ts";

const MINUTE_MS = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is spent flows back evenly within an hour; each merchant has its own", () => {
  const budgets = new Budgets(600_000);
  expect(budgets.remaining(1)).toBe(600_000);
  budgets.charge(1, 300_000);
  expect(budgets.remaining(1)).toBe(300_000);
  expect(budgets.remaining(2)).toBe(600_000);
  vi.advanceTimersByTime(6 * MINUTE_MS);
  expect(budgets.remaining(1)).toBe(360_000);
  budgets.charge(1, 60_000);
  expect(budgets.remaining(1)).toBe(300_000);
  vi.advanceTimersByTime(120 * MINUTE_MS);
  expect(budgets.remaining(1)).toBe(600_000);
});

test("one that is overdrawn is refused for as long as it says", () => {
  const budgets = new Budgets(1_000);
  budgets.check(1);
  budgets.charge(1, 999);
  budgets.check(1);
  budgets.charge(1, 501);
  expect(budgets.remaining(1)).toBe(0);
  const refused = vi.fn();
  try {
    budgets.check(1);
  } catch (failure) {
    refused(failure);
  }
  // Of 1,000 units an hour, 500 that are too much and 1 % are there again after 0.51 hours.
  const retryAfterMs = 0.51 * 60 * MINUTE_MS;
  expect(refused).toHaveBeenCalledWith(
    expect.objectContaining({ kind: "exhausted", reason: "BUDGET_SPENT", retryAfterMs }),
  );
  budgets.check(2);
  vi.advanceTimersByTime(retryAfterMs);
  budgets.check(1);
  expect(budgets.remaining(1)).toBe(10);
});
