import fc from "fast-check";
import { expect, test } from "vitest";
import type { Counts } from "../question/answer.ts";
import { pageWithin, rowsAround } from "./pages.ts";

/** Rows [from, to) of a table of so many, each with its own number in every column; every seventh is a rest. */
function answerOf(total: number, from: number, limit: number): Counts {
  const rows = Array.from({ length: Math.max(0, Math.min(limit, total - from)) }, (_, at) => from + at);
  const columns = [
    { name: "page", span: 0, kind: "text", values: rows.map(String) },
    { name: "visitors", span: 0, kind: "integer", values: rows.map(BigInt), standardErrors: rows },
  ] as const;
  const restRows = rows.flatMap((row, at) => (row % 7 === 0 ? [at] : []));
  const table = { rows: rows.length, columns, restRows };
  return { table, totalRows: total } as unknown as Counts;
}

test("pages hold every row once, in order, whatever is read at a time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(3_000), (limit, total) => {
      const texts: (string | null)[] = [];
      for (let offset = 0; offset < total; offset += limit) {
        const page = { offset, limit };
        const read = rowsAround(page);
        expect(read.offset).toBeLessThanOrEqual(offset);
        expect(read.offset + read.limit).toBeGreaterThanOrEqual(offset + limit);
        const { table } = pageWithin(answerOf(total, read.offset, read.limit), read.offset, page);
        const [names, visitors] = table.columns;
        const numbers = names!.values.map(Number);
        expect(table.rows).toBe(names!.values.length);
        expect(visitors!.values).toEqual(numbers.map(BigInt));
        expect(visitors!.standardErrors).toEqual(numbers);
        expect(table.restRows.map((row) => numbers[row])).toEqual(numbers.filter((row) => row % 7 === 0));
        texts.push(...(names!.values as (string | null)[]));
      }
      expect(texts).toEqual(Array.from({ length: total }, (_, row) => String(row)));
    }),
    { numRuns: 50 },
  );
});

test("ten pages are read at a time, but no more than 10,000 rows unless one page has them", () => {
  expect(rowsAround({ offset: 0, limit: 100 })).toEqual({ offset: 0, limit: 1_000 });
  expect(rowsAround({ offset: 1_000, limit: 100 })).toEqual({ offset: 1_000, limit: 1_000 });
  expect(rowsAround({ offset: 1_900, limit: 100 })).toEqual({ offset: 1_000, limit: 1_000 });
  expect(rowsAround({ offset: 0, limit: 3_000 })).toEqual({ offset: 0, limit: 9_000 });
  expect(rowsAround({ offset: 0, limit: 10_000 })).toEqual({ offset: 0, limit: 10_000 });
});
