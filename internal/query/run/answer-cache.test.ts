import { expect, test } from "vitest";
import type { Counts } from "../question/answer.ts";
import { AnswerCache, type Kept } from "./answer-cache.ts";

/** An answer of so many texts of 100 characters. */
function kept(revision: string, rows: number, hasMore = false): Kept {
  const values = Array.from({ length: rows }, () => "x".repeat(100));
  const table = { rows, columns: [{ name: "page", span: 0, kind: "text", values }], restRows: [] };
  const totals = { rows: 1, columns: [], restRows: [] };
  const freshness = { dataThrough: 1, delayedEvents: 0n };
  return { revision, counts: { table, totals } as unknown as Counts, freshness, hasMore };
}

test("of a question the newest answer is kept, and an older one where it has more pages", () => {
  const cache = new AnswerCache(1_000_000);
  cache.put("a", kept("1", 1));
  cache.put("a", kept("2", 1, true));
  cache.put("a", kept("3", 1));
  cache.put("a", kept("3", 2));
  expect(cache.of("a", "3")?.counts.table.rows).toBe(2);
  expect(["1", "2", "3"].map((revision) => cache.of("a", revision)?.revision)).toEqual([undefined, "2", "3"]);
  expect(["1", "2", "3", undefined].map((revision) => cache.has("a", revision))).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect([cache.of("b", "3"), cache.has("b")]).toEqual([undefined, false]);
});

test("it stays within its bytes; what was used last stays, and what is too large is not kept", () => {
  const cache = new AnswerCache(100_000);
  for (let question = 0; question < 50; question++) {
    cache.put(String(question), kept("1", 50));
    expect(cache.of("0", "1")).toBeDefined();
    expect(cache.bytes).toBeLessThanOrEqual(100_000);
  }
  expect(cache.bytes).toBeGreaterThan(80_000);
  cache.put("large", kept("1", 200));
  expect(cache.has("large")).toBe(false);
  expect(cache.of("0", "1")).toBeDefined();
  const none = new AnswerCache(0);
  none.put("a", kept("1", 0));
  expect(none.has("a")).toBe(false);
});
