import fc from "fast-check";
import { expect, test } from "vitest";
import type { Counts, Table } from "../question/answer.ts";
import { fittingRows, mostRows, pageWithin, rowsAround, sizesOf } from "./pages.ts";

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
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(3_000), fc.nat(50), (limit, total, cut) => {
      const texts: (string | null)[] = [];
      // A page that was cut makes the next one begin anywhere.
      for (let offset = 0; offset < total; offset = texts.length) {
        const page = { offset, limit: texts.length === 0 ? Math.max(1, Math.min(limit, cut)) : limit };
        const read = rowsAround({ offset, limit }, 10_000);
        expect(read.offset).toBeLessThanOrEqual(offset);
        expect(read.offset + read.limit).toBeGreaterThan(offset);
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

test("ten pages are read at a time, but no more rows than are allowed", () => {
  const around = (offset: number, limit: number) => rowsAround({ offset, limit }, 10_000);
  expect(around(0, 100)).toEqual({ offset: 0, limit: 1_000 });
  expect(around(1_000, 100)).toEqual({ offset: 1_000, limit: 1_000 });
  expect(around(1_900, 100)).toEqual({ offset: 1_000, limit: 1_000 });
  expect(around(0, 3_000)).toEqual({ offset: 0, limit: 9_000 });
  expect(around(0, 10_000)).toEqual({ offset: 0, limit: 10_000 });
  expect(rowsAround({ offset: 0, limit: 100 }, 450)).toEqual({ offset: 0, limit: 400 });
});

test("the widest question has 408 rows at a time", () => {
  const some = <T>(count: number) => Array<T>(count).fill({} as T);
  const width = { dimensions: some(9), metrics: some(20), spans: some(2) };
  expect(mostRows(width as unknown as Parameters<typeof mostRows>[0])).toBe(408);
});

/** Tables of so many rows, with columns of integers, and of texts of so many characters. */
function tableOf(rows: number, integers: number, textLength = 0): Table {
  const numbers = Array.from({ length: rows }, (_, row) => row);
  const integer = { name: "events", span: 0, kind: "integer", values: numbers.map(BigInt) } as const;
  const texts = numbers.map((row) => String(row).padStart(textLength, "x"));
  const text = { name: "page", span: 0, kind: "text", values: texts } as const;
  const columns = [...Array(integers).fill(integer), ...(textLength > 0 ? [text] : [])];
  return { rows, columns, restRows: [] };
}

test("of several tables as many rows fit as have 20,000 values together, each with its part", () => {
  const fitting = (...tables: Table[]) => fittingRows(tables.map(sizesOf));
  expect(fitting(tableOf(10_000, 2))).toEqual([10_000]);
  expect(fitting(tableOf(10_000, 4))).toEqual([5_000]);
  // A text of 990 characters counts for 99 and itself.
  expect(fitting(tableOf(1_000, 0, 990))).toEqual([200]);
  expect(fitting(tableOf(3, 0, 1_000_000))).toEqual([1]);
  expect(fitting(tableOf(0, 3), tableOf(100, 10), tableOf(9_500, 2), tableOf(9_500, 2))).toEqual([
    0, 100, 4_750, 4_750,
  ]);
});

test("a text counts where it comes first; amounts, buckets and standard errors are values more", () => {
  const same = {
    name: "page",
    span: 0,
    kind: "text",
    values: ["x".repeat(50), null, "x".repeat(50)],
  } as const;
  const amounts = { name: "revenue", span: 0, kind: "money", values: [1n, 2n, 3n] } as const;
  const values = [1n, 2n, 3n];
  const estimates = {
    name: "visitors",
    span: 0,
    kind: "integer",
    values,
    standardErrors: [0, 0, 0],
  } as const;
  expect(sizesOf({ rows: 3, columns: [same, amounts, estimates], restRows: [] })).toEqual([10, 15, 20]);
});
