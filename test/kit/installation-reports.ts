import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { AnswerInfo, Notice_Kind } from "../../internal/gen/footfall/query/v1/info_pb.js";
import { Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import type {
  RunReportRequestSchema,
  RunReportResponse,
} from "../../internal/gen/footfall/query/v1/report_pb.js";
import { Traffic } from "../../internal/gen/footfall/query/v1/scope_pb.js";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { bearer, type QueryClient } from "./installation-clients.ts";
import { waitFor } from "./installation-wait.ts";
import { tableRows } from "./report-table.ts";

export type ReportRequest = MessageInitShape<typeof RunReportRequestSchema>;

const METRICS = ["events", "page_views", "visitors", "sessions", "revenue", "orders"] as const;

/** Revenue in micros. */
export type Numbers = Readonly<Record<(typeof METRICS)[number], bigint>>;

/** What allDays and localDays ask for: totals, and each bucket that is not empty by its start, ms. */
export function reportNumbers({ table, totals }: RunReportResponse) {
  const numbers = (cells: readonly unknown[]) =>
    Object.fromEntries(METRICS.map((name, at) => [name, cells[at]])) as Numbers;
  const rows = tableRows(table!).map(([start, ...cells]) => [start as number, numbers(cells)] as const);
  const [total] = tableRows(totals!);
  return { total: numbers(total!), buckets: new Map(rows.filter(([, { events }]) => events > 0n)) };
}

/** From one day to another, both included, YYYY-MM-DD. */
export function datesFrom(startDate: string, endDate: string) {
  return { span: { case: "dates", value: { startDate, endDate } } } as const;
}

const SERIES = { metrics: [...METRICS], dimensions: ["time"] };

/** Every event that can be accepted now lies in these days: the retention, until the day after tomorrow. Bots' too. */
export function allDays(retentionDays = 760, traffic = Traffic.ALL) {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const period = datesFrom(day(-retentionDays - 1), day(2));
  return { ...SERIES, period, scope: { traffic }, granularity: Granularity.DAY } satisfies ReportRequest;
}

/** All local days that some times (ms) lie on; people's events unless asked for others'. */
export function localDays(
  times: readonly number[],
  timeZone: string,
  granularity: Granularity,
  traffic = Traffic.PEOPLE,
): ReportRequest {
  const dates = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
  const start = dates.format(times.reduce((a, b) => Math.min(a, b)));
  const end = dates.format(times.reduce((a, b) => Math.max(a, b)));
  return { ...SERIES, period: datesFrom(start, end), scope: { timeZone, traffic }, granularity };
}

/** Totals of a merchant over all days, bots included. */
export async function reportTotals(client: QueryClient, { readKey, retentionDays }: CreatedMerchant) {
  return reportNumbers(await client.runReport(allDays(retentionDays), bearer(readKey))).total;
}

/** data_through_time, ms; undefined: nothing was processed yet. */
export function dataThroughOf({ info }: RunReportResponse): number | undefined {
  return info?.dataThroughTime && timestampMs(info.dataThroughTime);
}

/** How many orders or events a notice tells of; 0: there is none of that kind. */
export function noticed(info: AnswerInfo | undefined, kind: Notice_Kind): bigint {
  return info!.notices.find((notice) => notice.kind === kind)?.count ?? 0n;
}

/**
 * Waits until data_through_time has passed a time (ms): every event that was acked before it is then in the report.
 * @returns how long after `sinceMs` that was seen, ms.
 */
export function waitUntilReported(
  client: QueryClient,
  { readKey }: CreatedMerchant,
  sinceMs: number,
  timeoutMs = 30_000,
): Promise<number> {
  return waitFor(
    "data_through_time",
    async () => {
      const through = dataThroughOf(await client.runReport(allDays(1), bearer(readKey)));
      return through !== undefined && through > sinceMs && Date.now() - sinceMs;
    },
    timeoutMs,
  );
}
