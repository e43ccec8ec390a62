import { expect, test } from "vitest";
import { sqlOf } from "./sql.ts";
import type { Statement } from "./statement.ts";

const statements: Statement[] = [
  {
    shape: "additive",
    source: "totals_15m",
    columns: [{ name: "n", events: "count(*)", totals15m: "events" }],
  },
  { shape: "additive", source: "events", columns: [{ name: "n", events: "count(*)" }] },
  { shape: "distinct", source: "events", columns: [{ name: "n", key: "visitor_id" }] },
  { shape: "distinct", source: "sessions_15m", readyFrom: 0, columns: [{ name: "n", key: "visitor_id" }] },
];

test.each(statements)("$shape from $source reads no rows but one merchant's", (statement) => {
  const sql = sqlOf(statement).replaceAll(/--.*/g, "");
  // Every table with merchants' rows, up to the end of its WHERE, is restricted to $1.
  const reads = sql.split(/\bFROM (?=events|totals_15m|sessions_15m)/).slice(1);
  const expected = { events: 1, totals_15m: 2, sessions_15m: 3 };
  expect(reads).toHaveLength(expected[statement.source]);
  for (const read of reads) {
    expect(read).toMatch(/^\w+\s+WHERE merchant_id = \$1 AND /);
  }
});

// Otherwise every chunk of years is planned, for a report of a day too.
test.each(statements)("$shape from $source says of all rows that they are in the span", (statement) => {
  const reads = sqlOf(statement)
    .replaceAll(/--.*/g, "")
    .split(/\bFROM (?=events)/)
    .slice(1);
  for (const read of reads) {
    expect(read.split(/\bGROUP BY|\) written|\) seen/)[0]).toMatch(
      / AND ts >= \$2 AND ts < (\$3|least\(\$3)/,
    );
  }
});

test.each([
  "(SELECT count(*) FROM events)",
  "count(*) FROM events --",
  "1) UNION (TABLE events",
  "count(*); DROP TABLE events",
  "count(*) /*",
  "{{aggregates}}",
])("an expression with rows of its own is refused: %s", (events) => {
  const statement: Statement = { shape: "additive", source: "events", columns: [{ name: "n", events }] };
  expect(() => sqlOf(statement)).toThrow(TypeError);
});

test("a statement without columns is refused", () => {
  expect(() => sqlOf({ shape: "distinct", source: "events", columns: [] })).toThrow("needs a column");
});
