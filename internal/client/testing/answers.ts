import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type RunReportResponse, RunReportResponseSchema } from "../../gen/footfall/query/v1/report_pb.js";
import { type ColumnSchema, Unit } from "../../gen/footfall/query/v1/table_pb.js";

export type ColumnInit = MessageInitShape<typeof ColumnSchema>;

export const texts = (name: string, values: readonly (string | null)[]): ColumnInit => {
  const dictionary = [...new Set(values.filter((value) => value !== null))];
  const entries = values.map((value) => (value === null ? 0 : dictionary.indexOf(value) + 1));
  return { name, values: { case: "texts", value: { dictionary, entries } } };
};

export const integers = (name: string, values: bigint[], more: ColumnInit = {}): ColumnInit => ({
  name,
  unit: Unit.COUNT,
  values: { case: "integers", value: { values } },
  ...more,
});

export const numbers = (name: string, unit: Unit, values: number[], more: ColumnInit = {}): ColumnInit => ({
  name,
  unit,
  values: { case: "numbers", value: { values } },
  ...more,
});

/** @param amounts pairs of units and nanos. */
export const amounts = (name: string, pairs: [bigint, number][], more: ColumnInit = {}): ColumnInit => ({
  name,
  unit: Unit.CURRENCY,
  values: {
    case: "amounts",
    value: { units: pairs.map(([units]) => units), nanos: pairs.map(([, nanos]) => nanos) },
  },
  ...more,
});

/** @param starts as ISO 8601. @param minutes how long each is. */
export const buckets = (starts: string[], minutes: number, partialRows: number[] = []): ColumnInit => {
  const seconds = starts.map((start) => Date.parse(start) / 1_000);
  const value = {
    startSeconds: seconds.map(BigInt),
    endSeconds: seconds.map((second) => BigInt(second + minutes * 60)),
    partialRows,
  };
  return { name: "time", values: { case: "buckets", value } };
};

/** An answer of a shop in Berlin that is paid in euros. */
export function sampleAnswer(
  rowCount: number,
  columns: ColumnInit[],
  totals: ColumnInit[],
  more: { readonly totalSize?: number; readonly nextPageToken?: string } = {},
): RunReportResponse {
  const isCompared = columns.some(({ periodIndex }) => periodIndex === 1);
  const instants = (...times: string[]) =>
    times.slice(0, isCompared ? 2 : 1).map((time) => timestampFromDate(new Date(time)));
  return create(RunReportResponseSchema, {
    table: { columns, rowCount },
    totals: { columns: totals, rowCount: 1 },
    totalSize: rowCount,
    info: {
      timeZone: "Europe/Berlin",
      currency: "EUR",
      startTimes: instants("2026-11-01T00:00+01:00", "2026-10-02T00:00+02:00"),
      endTimes: instants("2026-12-01T00:00+01:00", "2026-11-01T00:00+01:00"),
      dataThroughTime: timestampFromDate(new Date("2026-11-30T09:30Z")),
      quota: { spent: 12, remaining: 359_988 },
    },
    ...more,
  });
}
