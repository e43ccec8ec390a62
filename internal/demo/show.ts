import type { Report } from "../client/report.ts";
import { cellText, mannerOf, numberOf } from "../client/show/value.ts";
import { table } from "../program/table.ts";
import type { CreatedMerchant } from "../store/merchants.ts";
import type { Accounting } from "./accounting.ts";

/** What one line a shop shows. */
export const TOTALS = ["events", "page_views", "visitors", "sessions", "orders", "revenue"];

/** A merchant's reports over the same period, without dimensions. */
export interface MerchantReports {
  readonly merchant: CreatedMerchant;
  readonly people: Report;
  /** Bots' events too. */
  readonly all: Report;
}

/** One line a merchant: the totals of its report, and how many events of bots are not in it. */
export function merchantsTable(reports: readonly MerchantReports[]): string {
  const rows = reports.map(({ merchant, people, all }) => {
    const manner = mannerOf(people);
    const texts = people.totals.metrics.map(({ now }) => cellText(now.cells[0]!, now.unit, manner));
    return [merchant.name, ...texts, (eventsIn(all) - eventsIn(people)).toLocaleString("en")];
  });
  return table(["shop", ...TOTALS, "bots' events"], rows, 1);
}

/** All events of a report whose first metric they are. */
export function eventsIn({ totals }: Report): number {
  return numberOf(totals.metrics[0]!.now.cells[0]) ?? 0;
}

/** The accounting, line by line. */
export function accountingText(accounting: Accounting): string {
  const count = (value: number) => value.toLocaleString("en");
  const { sent, accepted, duplicates, rejected, stored, reported, freshness_p99_ms } = accounting;
  return [
    `sent ${count(sent)} = accepted ${count(accepted)} + duplicates ${count(duplicates)} + rejected ${count(rejected)}`,
    `stored ${count(stored)} raw rows, reported ${count(reported)} events`,
    `freshness: 99 % of the events were in reports within ${count(freshness_p99_ms)} ms of being sent`,
  ].join("\n");
}
