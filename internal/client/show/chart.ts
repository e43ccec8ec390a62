import { plot } from "simple-ascii-chart";
import type { Column, Report, Rows } from "../report.ts";
import { footer } from "./footer.ts";
import { dimensionTexts } from "./table.ts";
import { cellText, type Manner, mannerOf, numberOf, printable } from "./value.ts";

/** Most charts of one metric: one for each value of the dimensions beside time. */
const MOST_SERIES = 8;
const HEIGHT = 8;

/** A report as charts, one for each metric: lines over time, else bars. @param width of the terminal, characters. */
export function reportChart(report: Report, width: number): string {
  const manner = mannerOf(report);
  const columns = report.rows.metrics.map(({ now }) => now);
  const hasTime = report.rows.dimensions.some(({ cells }) => cells[0]?.kind === "time");
  const charts = columns.flatMap((column) =>
    hasTime ? lines(report.rows, column, manner, width) : [bars(report.rows, column, manner, width)],
  );
  return [...charts, footer(report, manner).join("\n")].join("\n\n");
}

/** A chart for each value of the dimensions beside time, in the order in which they come. */
function lines(rows: Rows, column: Column, manner: Manner, width: number): string[] {
  const time = rows.dimensions.find(({ cells }) => cells[0]?.kind === "time")!;
  const others = { ...rows, dimensions: rows.dimensions.filter((one) => one !== time) };
  const series = Map.groupBy(
    Array.from({ length: rows.count }, (_, row) => row),
    (row) => dimensionTexts(others, row, manner).join(" / "),
  );
  const shown = [...series].slice(0, MOST_SERIES).map(([name, at]) => {
    const title = [printable(column.name), ...(name === "" ? [] : [name])].join(", ");
    return line(title, at, { time, column }, manner, width);
  });
  const more = series.size - shown.length;
  return more > 0 ? [...shown, `and ${more} more of ${printable(column.name)}`] : shown;
}

function line(
  title: string,
  at: readonly number[],
  { time, column }: { readonly time: Column; readonly column: Column },
  manner: Manner,
  width: number,
): string {
  const points = at.map((row, index): [number, number] => [index, numberOf(column.cells[row]) ?? 0]);
  const label = (row: number | undefined) => cellText(time.cells[row!]!, time.unit, manner);
  if (points.length < 2)
    return `${title}\n${label(at[0])}  ${cellText(column.cells[at[0]!]!, column.unit, manner)}`;
  const kind = column.cells.find((cell) => cell.kind !== "none")?.kind;
  const mark = (value: number) =>
    kind === "money"
      ? cellText({ kind: "money", amount: value.toFixed(2) }, column.unit, manner)
      : cellText({ kind: "number", value }, column.unit, manner);
  const chart = plot(points, {
    width: Math.min(Math.max(20, width - 16), Math.max(points.length * 2, 20)),
    height: HEIGHT,
    hideXAxis: true,
    formatter: mark,
  });
  const drawn = chart.split("\n").map((each) => each.trimEnd());
  return [title, ...drawn.filter((each) => each !== ""), `${label(at[0])} to ${label(at.at(-1))}`].join("\n");
}

/** Eighths of a block. */
const BLOCKS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

function bars(rows: Rows, column: Column, manner: Manner, width: number): string {
  const labels = Array.from({ length: rows.count }, (_, row) =>
    dimensionTexts(rows, row, manner).join(" / "),
  );
  const values = column.cells.map((cell) => Math.max(0, numberOf(cell) ?? 0));
  const texts = column.cells.map((cell) => cellText(cell, column.unit, manner));
  const longest = (all: readonly string[]) => all.reduce((most, text) => Math.max(most, text.length), 0);
  const room = Math.max(10, width - longest(labels) - longest(texts) - 3);
  const most = Math.max(...values, Number.MIN_VALUE);
  const shown = labels.map((label, row) => {
    const eighths = Math.round((values[row]! / most) * room * 8);
    const bar = "█".repeat(eighths >> 3) + BLOCKS[eighths % 8]!;
    return `${label.padEnd(longest(labels))}  ${bar} ${texts[row]}`;
  });
  return [printable(column.name), ...shown].join("\n");
}
