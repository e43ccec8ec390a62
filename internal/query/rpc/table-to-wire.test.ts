import { fromJson, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TableSchema, Unit } from "../../gen/footfall/query/v1/table_pb.js";
import type { Column } from "../question/answer.ts";
import { type TableContext, tableToWire } from "./table-to-wire.ts";

const CONTEXT: TableContext = {
  spans: [{ start: 0, end: 3_000, edges: [0, 1_000, 2_000, 3_000] }],
  partial: [[false, false, true]],
  unitOf: (name) => (name === "revenue" ? "currency" : undefined),
};

const only = (column: Column, rows: number) =>
  tableToWire({ rows, columns: [column], restRows: [] }, CONTEXT).columns[0]!;

test("texts by dictionary, with no value apart from an empty one", () => {
  const { values, unit } = only({ kind: "text", name: "page", span: 0, values: ["/b", null, "", "/b"] }, 4);
  expect(values.value).toMatchObject({ dictionary: ["/b", ""], entries: [1, 0, 2, 1] });
  expect(unit).toBe(Unit.UNSPECIFIED);
});

test("buckets have their edges, and the rows of partial ones are marked", () => {
  const { values } = only({ kind: "bucket", name: "time", span: 0, values: [2, 0, 2] }, 3);
  expect(values.value).toMatchObject({
    startSeconds: [2n, 0n, 2n],
    endSeconds: [3n, 1n, 3n],
    partialRows: [0, 2],
  });
});

test("a row whose bucket the period does not have has an empty one", () => {
  const { values } = only({ kind: "bucket", name: "time", span: 0, values: [-1, 2] }, 2);
  expect(values.value).toMatchObject({ startSeconds: [0n, 2n], endSeconds: [0n, 3n], partialRows: [1] });
});

test("amounts up to units of 2^63 come through JSON exactly, with one sign", () => {
  const amount = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n });
  fc.assert(
    fc.property(fc.array(amount, { maxLength: 20 }), (values) => {
      const table = tableToWire(
        { rows: values.length, columns: [{ kind: "money", name: "revenue", span: 0, values }], restRows: [] },
        CONTEXT,
      );
      const read = fromJson(TableSchema, toJson(TableSchema, table)).columns[0]!;
      expect(read.unit).toBe(Unit.CURRENCY);
      if (read.values.case !== "amounts") return expect.unreachable();
      const { units, nanos } = read.values.value;
      values.forEach((value, row) => {
        expect(units[row]! * 1_000_000_000n + BigInt(nanos[row]!)).toBe(value * 1_000n);
        expect(units[row]! < 0n ? nanos[row]! <= 0 : units[row]! === 0n || nanos[row]! >= 0).toBe(true);
      });
    }),
  );
});

test("no value of a number, and standard errors, come through JSON", () => {
  const column = { kind: "number", name: "bounce_rate", span: 0, values: [Number.NaN, 0.5] } as const;
  const table = tableToWire(
    { rows: 2, columns: [{ ...column, standardErrors: [0.02, 0] }], restRows: [1] },
    CONTEXT,
  );
  expect(toJson(TableSchema, table)).toMatchObject({
    columns: [{ numbers: { values: ["NaN", 0.5] }, standardErrors: [0.02, 0] }],
    restRows: [1],
  });
});
