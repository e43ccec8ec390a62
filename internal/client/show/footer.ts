import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Report } from "../report.ts";
import { type Manner, printable } from "./value.ts";

const count = (value: number) => value.toLocaleString("en");

/** What is to be known of the numbers above: a line each. */
export function footer(report: Report, { time }: Manner): string[] {
  const { rows, totals, totalSize, periods, info } = report;
  const columns = [...rows.metrics, ...totals.metrics].flatMap(({ now, before }) => [now, before ?? now]);
  const isEstimated = columns.some(({ standardErrors }) => standardErrors.some((error) => error > 0));
  const isPartial = rows.dimensions.some(({ cells }) =>
    cells.some((cell) => cell.kind === "time" && cell.isPartial),
  );
  const [now, before] = periods.map((period) => time.range(period));
  const through = info.dataThroughTime === undefined ? undefined : time.at(timestampMs(info.dataThroughTime));
  return [
    ...(rows.count < totalSize ? [`${count(rows.count)} of ${count(totalSize)} rows`] : []),
    ...(isPartial ? ["* cut by the period, or not over yet"] : []),
    ...(isEstimated ? ["± standard error of an estimate, relative to it; --accuracy exact counts all"] : []),
    ...info.notices.map(({ message }) => `note: ${printable(message)}`),
    `${now} (${info.timeZone})${before === undefined ? "" : `, compared to ${before}`}`,
    [
      through === undefined ? "nothing was processed yet" : `data through ${through.date} ${through.time}`,
      ...(info.cached ? ["kept from an earlier question"] : []),
      ...(info.quota === undefined
        ? []
        : [`cost ${count(info.quota.spent)}, ${count(info.quota.remaining)} left`]),
    ].join("; "),
  ];
}
