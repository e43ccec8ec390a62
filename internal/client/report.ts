import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { AnswerInfo } from "../gen/footfall/query/v1/info_pb.js";
import { Granularity } from "../gen/footfall/query/v1/period_pb.js";
import type { RunReportRequest, RunReportResponse } from "../gen/footfall/query/v1/report_pb.js";
import { type Table, Unit, type Column as WireColumn } from "../gen/footfall/query/v1/table_pb.js";

/** One value of a table. */
export type Cell =
  | { readonly kind: "none" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "number"; readonly value: number }
  /** An amount of the answer's currency, exactly, as decimal digits. */
  | { readonly kind: "money"; readonly amount: string }
  /** A bucket of time, from its start on, ms since 1970-01-01 UTC. */
  | { readonly kind: "time"; readonly startMs: number; readonly isPartial: boolean };

/** Values of a dimension or metric, one for each row. */
export interface Column {
  readonly name: string;
  readonly unit: Unit;
  readonly cells: readonly Cell[];
  /** Relative to the values; 0: that one is exact. Empty: all are. */
  readonly standardErrors: readonly number[];
}

/** A metric, and the same in the period compared to. */
export interface MetricColumns {
  readonly now: Column;
  readonly before: Column | undefined;
}

export interface Rows {
  readonly count: number;
  readonly dimensions: readonly Column[];
  readonly metrics: readonly MetricColumns[];
  /** Rows that stand for all values beyond the question's top values. */
  readonly rest: ReadonlySet<number>;
}

/** A period, ms since 1970-01-01 UTC; its end is excluded. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

/** An answer as a program works with it. */
export interface Report {
  readonly rows: Rows;
  /** One row without dimensions. */
  readonly totals: Rows;
  /** How many rows there are, answered or not. */
  readonly totalSize: number;
  /** Of the buckets of `time`. */
  readonly granularity: Granularity;
  /** The question's, then that which it is compared to. */
  readonly periods: readonly Period[];
  readonly info: AnswerInfo;
}

/** Puts the pages of an answer together. @param pages one or more. @param limit most rows. */
export function reportOf(
  question: Pick<RunReportRequest, "granularity">,
  pages: readonly RunReportResponse[],
  limit: number | undefined,
): Report {
  const [first] = pages;
  const info = first!.info!;
  return {
    rows: rowsOfTables(
      pages.map(({ table }) => table!),
      limit,
    ),
    totals: rowsOfTables([first!.totals!]),
    totalSize: first!.totalSize,
    granularity: question.granularity || Granularity.DAY,
    periods: periodsOf(info),
    info,
  };
}

/** The periods of an answer. */
export function periodsOf({ startTimes, endTimes }: AnswerInfo): Period[] {
  return startTimes.map((start, index) => ({
    startMs: timestampMs(start),
    endMs: timestampMs(endTimes[index]!),
  }));
}

/** The rows of some tables with the same columns, one after another. @param limit most rows. */
export function rowsOfTables(tables: readonly Table[], limit = Number.POSITIVE_INFINITY): Rows {
  const found = tables.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const count = Math.min(limit, found);
  const wire = tables[0]!.columns;
  const columnsOf = (isOne: (column: WireColumn) => boolean) =>
    wire.flatMap((column, at) => (isOne(column) ? [columnOf(tables, at, count)] : []));
  // Whatever is a number of a metric has a unit.
  const isDimension = ({ unit }: WireColumn) => unit === Unit.UNSPECIFIED;
  const metricsOf = (period: number) =>
    columnsOf((column) => !isDimension(column) && column.periodIndex === period);
  const before = metricsOf(1);
  return {
    count,
    dimensions: columnsOf(isDimension),
    metrics: metricsOf(0).map((now, at) => ({ now, before: before[at] })),
    rest: restOf(tables),
  };
}

function columnOf(tables: readonly Table[], at: number, count: number): Column {
  const parts = tables.map(({ columns }) => columns[at]!);
  const hasErrors = parts.some(({ standardErrors }) => standardErrors.length > 0);
  const errorsOf = ({ standardErrors }: WireColumn, { rowCount }: Table) =>
    standardErrors.length > 0 ? standardErrors : new Array<number>(rowCount).fill(0);
  return {
    name: parts[0]!.name,
    unit: parts[0]!.unit,
    cells: parts.flatMap(cellsOf).slice(0, count),
    standardErrors: hasErrors ? parts.flatMap((part, page) => errorsOf(part, tables[page]!)) : [],
  };
}

function cellsOf({ values }: WireColumn): Cell[] {
  switch (values.case) {
    case "texts": {
      const { dictionary, entries } = values.value;
      return entries.map((entry) =>
        entry === 0 ? { kind: "none" } : { kind: "text", text: dictionary[entry - 1]! },
      );
    }
    case "integers":
      return values.value.values.map((value) => ({ kind: "integer", value }));
    case "numbers":
      return values.value.values.map((value) =>
        Number.isNaN(value) ? { kind: "none" } : { kind: "number", value },
      );
    case "amounts": {
      const { units, nanos } = values.value;
      return units.map((whole, row) => ({ kind: "money", amount: decimal(whole, nanos[row]!) }));
    }
    case "buckets": {
      const partial = new Set(values.value.partialRows);
      return values.value.startSeconds.map((seconds, row) => ({
        kind: "time",
        startMs: Number(seconds) * 1_000,
        isPartial: partial.has(row),
      }));
    }
    default:
      return [];
  }
}

/** Both parts have the sign of the amount; two digits of parts at least, as people write amounts. */
function decimal(units: bigint, nanos: number): string {
  const sign = units < 0n || nanos < 0 ? "-" : "";
  const whole = String(units).replace("-", "");
  const parts = String(Math.abs(nanos))
    .padStart(9, "0")
    .replace(/0{1,7}$/, "");
  return `${sign}${whole}.${parts}`;
}

function restOf(tables: readonly Table[]): Set<number> {
  const rest = new Set<number>();
  let before = 0;
  for (const { restRows, rowCount } of tables) {
    for (const row of restRows) rest.add(before + row);
    before += rowCount;
  }
  return rest;
}
