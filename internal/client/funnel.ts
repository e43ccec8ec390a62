import type { RunFunnelRequest, RunFunnelResponse } from "../gen/footfall/query/v1/funnel_pb.js";
import { Granularity } from "../gen/footfall/query/v1/period_pb.js";
import type { Table } from "../gen/footfall/query/v1/table_pb.js";
import { type Column, periodsOf, type Report, type Rows, rowsOfTables } from "./report.ts";

/** A funnel as a report whose dimension "step" has the steps' titles. Its totals have a row for each step. */
export function funnelOf(
  question: Pick<RunFunnelRequest, "granularity">,
  { table, totals, stepTitles, info }: RunFunnelResponse,
): Report {
  const titled = (wire: Table): Rows => {
    const rows = rowsOfTables([wire]);
    return { ...rows, dimensions: rows.dimensions.map((column) => withTitles(column, stepTitles)) };
  };
  return {
    rows: titled(table!),
    totals: titled(totals!),
    totalSize: table!.rowCount,
    granularity: question.granularity || Granularity.DAY,
    periods: periodsOf(info!),
    info: info!,
  };
}

function withTitles(column: Column, titles: readonly string[]): Column {
  if (column.name !== "step") return column;
  const cells = column.cells.map((cell) =>
    cell.kind === "integer" ? { kind: "text" as const, text: titles[Number(cell.value) - 1]! } : cell,
  );
  return { ...column, cells };
}
