import type { Column, Table } from "../../internal/gen/footfall/query/v1/table_pb.js";

/** A value of a report: amounts as micros, buckets as the ms in which they begin; null: none. */
export type Cell = string | bigint | number | null;

/** The values of a column, by row. */
export function cellsOf({ values }: Column): Cell[] {
  switch (values.case) {
    case "texts":
      return values.value.entries.map((at) => (at === 0 ? null : values.value.dictionary[at - 1]!));
    case "amounts":
      return values.value.units.map(
        (units, at) => units * 1_000_000n + BigInt(values.value.nanos[at]! / 1_000),
      );
    case "buckets":
      return values.value.startSeconds.map((seconds) => Number(seconds) * 1_000);
    case "integers":
    case "numbers":
      return values.value.values;
    default:
      throw new TypeError("a column without values");
  }
}

/** The rows of a table. */
export function tableRows({ columns, rowCount }: Table): Cell[][] {
  const all = columns.map(cellsOf);
  return Array.from({ length: rowCount }, (_, row) => all.map((cells) => cells[row]!));
}
