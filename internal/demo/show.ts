import { timestampMs } from "@bufbuild/protobuf/wkt";
import Table from "cli-table3";
import { plot } from "simple-ascii-chart";
import {
  type GetBreakdownResponse,
  type GetReportResponse,
  Metric,
  Unit,
} from "../gen/footfall/report/v1/report_pb.js";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { Accounting } from "./accounting.ts";
import { totalOf, valuesOf } from "./reports.ts";

/** Most columns of a chart. */
const CHART_WIDTH = 72;

export const count = (value: number) => value.toLocaleString("en");

/** An amount of micros in its currency. */
export function money(micros: number, currency: string): string {
  return (micros / 1e6).toLocaleString("en", { style: "currency", currency });
}

const METRICS = [Metric.EVENTS, Metric.PAGE_VIEWS, Metric.VISITORS, Metric.SESSIONS, Metric.ORDERS] as const;
const HEAD = ["events", "page views", "visitors", "sessions", "orders", "revenue"];

export function table(head: string[], rows: string[][]): string {
  const shown = new Table({
    head,
    colAligns: head.map((_, index) => (index === 0 ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
  shown.push(...rows);
  return shown.toString();
}

/** A merchant's reports over the same range. */
export interface MerchantReports {
  readonly merchant: CreatedMerchant;
  readonly people: GetReportResponse;
  /** Bots' events too. */
  readonly all: GetReportResponse;
}

/** One line a merchant: the totals of its report, and how many events of bots are not in it. */
export function merchantsTable(reports: readonly MerchantReports[]): string {
  const rows = reports.map(({ merchant, people, all }) => [
    merchant.name,
    ...METRICS.map((metric) => count(totalOf(people, metric))),
    money(totalOf(people, Metric.REVENUE), people.currency),
    count(totalOf(all, Metric.EVENTS) - totalOf(people, Metric.EVENTS)),
  ]);
  return table(["shop", ...HEAD, "bots' events"], rows);
}

/** One line a bucket of a report, the last `most` of them. @param label names a bucket by its start. */
export function bucketsTable(report: GetReportResponse, most: number, label: (ms: number) => string): string {
  const columns = METRICS.map((metric) => valuesOf(report, metric));
  const revenue = valuesOf(report, Metric.REVENUE);
  const rows = report.buckets.map(({ start }, index) => [
    label(timestampMs(start!)),
    ...columns.map((values) => count(values[index]!)),
    money(revenue[index]!, report.currency),
  ]);
  return table(["from", ...HEAD], rows.slice(-most));
}

/** One line a value of a breakdown, and the values that are left out as a number. @param title names the dimension. */
export function breakdownTable(title: string, breakdown: GetBreakdownResponse): string {
  const { values, series, valuesFound, currency } = breakdown;
  const rows = values.map((value, index) => [
    value === "" ? "(none)" : cut(value, VALUE_WIDTH),
    ...series.map(({ unit, values: numbers }) => {
      const number = Number(numbers[index]);
      if (unit === Unit.CURRENCY_MICROS) return money(number, currency);
      return count(unit === Unit.MICROS ? number / 1_000_000 : number);
    }),
  ]);
  const more = Number(valuesFound) - values.length;
  if (more > 0) rows.push([`and ${count(more)} more`, ...series.map(() => "")]);
  return table([title, ...series.map(({ metric }) => HEADS[metric] ?? "")], rows);
}

const VALUE_WIDTH = 48;

const HEADS: Readonly<Partial<Record<Metric, string>>> = {
  [Metric.EVENTS]: "events",
  [Metric.PAGE_VIEWS]: "page views",
  [Metric.VISITORS]: "visitors",
  [Metric.SESSIONS]: "sessions",
  [Metric.ORDERS]: "orders",
  [Metric.REVENUE]: "revenue",
  [Metric.ITEM_QUANTITY]: "sold",
  [Metric.ITEM_REVENUE]: "revenue",
};

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** A metric of a report as a small chart. */
export function chart(title: string, values: readonly number[], height: number): string {
  const points = values.map((value, index): [number, number] => [index, value]);
  if (points.length < 2) return "";
  const width = Math.min(CHART_WIDTH, points.length * 2);
  return plot(points, {
    title,
    width,
    height,
    hideXAxis: true,
    formatter: (value) => count(Math.round(value)),
  });
}

/** The accounting, line by line. */
export function accountingText(accounting: Accounting): string {
  const { sent, accepted, duplicates, rejected, stored, reported, freshness_p99_ms } = accounting;
  return [
    `sent ${count(sent)} = accepted ${count(accepted)} + duplicates ${count(duplicates)} + rejected ${count(rejected)}`,
    `stored ${count(stored)} raw rows, reported ${count(reported)} events`,
    `freshness: 99 % of the events were in reports within ${count(freshness_p99_ms)} ms of being sent`,
  ].join("\n");
}
