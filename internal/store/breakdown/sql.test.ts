import { describe, expect, test } from "vitest";
import type { Part } from "./cover.ts";
import { estimatedSql } from "./estimate.ts";
import type { RowSource } from "./query.ts";
import { sourcesParts, sourcesSql } from "./sources.ts";
import { allCountsSql, sumsSql } from "./sql.ts";

const SOURCES: RowSource[] = (["events", "first_page_view", "last_page_view", "items"] as const).map(
  (rows) => ({ rows, value: "name" }),
);
const VISIT_SOURCE: RowSource = { rows: "visit_source", value: "channel" };
const PARTS: Part[] = (["rows", "day", "week"] as const).flatMap((source) =>
  ([1, -1] as const).map((sign) => ({ source, sign, from: 0, to: 1 })),
);
const SUM = { name: "n", rows: "count(*)", cell: "events" };
const KEY = { name: "k", key: "visitor_id" };
const ROLLUP = { tables: { day: "pages_1d", week: "pages_7d" }, value: "page", visits: "visits_1d" };
const ADDED = PARTS.filter(({ sign }) => sign === 1);

const SAMPLED = { parts: PARTS, sampleParts: ADDED };

const AROUND = ADDED.map((part, index) => ({ ...part, isInside: index > 0 }));

const statements = [
  ...SOURCES.flatMap((source) => [
    ["all counts", source, allCountsSql({ source }, [SUM, KEY], ADDED, ROLLUP)] as const,
    ["sums", source, sumsSql({ source }, [SUM], PARTS, ROLLUP)] as const,
  ]),
  [
    "estimate",
    SOURCES[0]!,
    estimatedSql({ source: SOURCES[0]!, factor: 8 }, [KEY, SUM, KEY], SAMPLED, ROLLUP),
  ] as const,
  ["sources", VISIT_SOURCE, sourcesSql({ source: VISIT_SOURCE }, [SUM, KEY], AROUND, ROLLUP)] as const,
];

describe("a breakdown's statements", () => {
  test.each(statements)("%s: no rows but one merchant's, and people's", (_, { rows }, text) => {
    const sql = text.replaceAll(/--.*/g, "");
    expect(sql).not.toContain("{{");
    // Every table with merchants' rows is restricted to $1, behind its joins if it has any.
    const reads = sql.split(/\b(?:FROM|JOIN) (?=events|items|pages_|visits_|sampled_visits_)/).slice(1);
    expect(reads.length).toBeGreaterThan(0);
    expect(sql.match(/WHERE merchant_id = \$1 AND (ts|bucket) >=/g)).toHaveLength(reads.length);
    // Items are people's by their orders.
    const people = sql.match(/AND NOT is_bot/g) ?? [];
    expect(people.length).toBe(
      rows === "items" ? reads.length - sql.split("FROM items").length + 1 : reads.length,
    );
  });

  test.each(["(SELECT 1)", "name; DROP TABLE events", "name -- ", "count(*) FROM events"])(
    "an expression with rows of its own is refused: %s",
    (value) => {
      const source: RowSource = { rows: "events", value };
      expect(() => allCountsSql({ source }, [SUM, KEY], ADDED, ROLLUP)).toThrow(TypeError);
      expect(() => sumsSql({ source }, [SUM], PARTS, ROLLUP)).toThrow(TypeError);
      expect(() => estimatedSql({ source, factor: 8 }, [KEY], SAMPLED, ROLLUP)).toThrow(TypeError);
      const rollup = { ...ROLLUP, value };
      expect(() => sumsSql({ source: SOURCES[0]! }, [SUM], PARTS, rollup)).toThrow(TypeError);
      expect(() => allCountsSql({ source: SOURCES[0]! }, [SUM, KEY], ADDED, rollup)).toThrow(TypeError);
    },
  );

  test("a breakdown without columns is refused", () => {
    expect(() => allCountsSql({ source: SOURCES[0]! }, [], ADDED, ROLLUP)).toThrow("needs a column");
  });

  test("sources of visits are looked for a day before and behind the span, once each", () => {
    const DAY = 86_400_000;
    const told = sourcesParts({ start: 10 * DAY, end: 12 * DAY }).map(({ from, to, isInside }) => [
      from / DAY,
      to / DAY,
      isInside,
    ]);
    expect(told).toEqual([
      [9, 10, false],
      [10, 12, true],
      [12, 13, false],
    ]);
    expect(() => allCountsSql({ source: VISIT_SOURCE }, [KEY], ADDED, ROLLUP)).toThrow("are no rows");
    expect(() => sourcesSql({ source: VISIT_SOURCE }, [], AROUND, ROLLUP)).toThrow("needs a column");
  });

  test("different keys are not taken away", () => {
    expect(() => allCountsSql({ source: SOURCES[0]! }, [KEY], PARTS, ROLLUP)).toThrow("cannot be taken away");
  });
});
