import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type GetReportRequestSchema,
  type GetReportResponse,
  type Granularity,
  Metric,
} from "../../internal/gen/footfall/report/v1/report_pb.js";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { bearer, type QueryClient } from "./installation-clients.ts";
import { waitFor } from "./installation-wait.ts";

export type ReportRequest = MessageInitShape<typeof GetReportRequestSchema>;

export interface Numbers {
  readonly events: bigint;
  readonly page_views: bigint;
  readonly visitors: bigint;
  readonly sessions: bigint;
  readonly revenue: bigint;
  readonly orders: bigint;
}

const METRICS: readonly (readonly [keyof Numbers, Metric])[] = [
  ["events", Metric.EVENTS],
  ["page_views", Metric.PAGE_VIEWS],
  ["visitors", Metric.VISITORS],
  ["sessions", Metric.SESSIONS],
  ["revenue", Metric.REVENUE],
  ["orders", Metric.ORDERS],
];

/** The numbers of a report with all metrics: its totals, and each bucket that is not empty by its start, ms. */
export function numbersOf({ series, buckets }: GetReportResponse) {
  const pick = (read: (one: GetReportResponse["series"][number]) => bigint) =>
    Object.fromEntries(
      METRICS.map(([name, metric]) => [name, read(series.find((one) => one.metric === metric)!)]),
    ) as unknown as Numbers;
  const rows = buckets.map((bucket, index) => {
    return [timestampMs(bucket.start!), pick(({ values }) => values[index]!)] as const;
  });
  return { total: pick(({ total }) => total), buckets: new Map(rows.filter(([, row]) => row.events > 0n)) };
}

/** Every event that can be accepted now lies in these days: the retention, until the day after tomorrow. Bots' too. */
export function allDays(retentionDays = 760): ReportRequest {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  return {
    range: { case: "dates", value: { start: day(-retentionDays - 1), end: day(2) } },
    includeBots: true,
  };
}

/** All local days that some times (ms) lie on; people's events alone. */
export function localDays(
  times: readonly number[],
  timeZone: string,
  granularity: Granularity,
): ReportRequest {
  const dates = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
  const start = dates.format(times.reduce((a, b) => Math.min(a, b)));
  const end = dates.format(times.reduce((a, b) => Math.max(a, b)));
  return { range: { case: "dates", value: { start, end } }, timeZone, granularity };
}

/** Totals of a merchant over all days, bots included. */
export async function totalsOf(client: QueryClient, { readKey, retentionDays }: CreatedMerchant) {
  return numbersOf(await client.getReport(allDays(retentionDays), bearer(readKey))).total;
}

/**
 * Waits until data_through has passed a time (ms): every event that was acked before it is then in the report.
 * @returns how long after `sinceMs` that was seen, ms.
 */
export function waitUntilReported(
  client: QueryClient,
  { readKey }: CreatedMerchant,
  sinceMs: number,
  timeoutMs = 30_000,
): Promise<number> {
  return waitFor(
    "data_through",
    async () => {
      const { dataThrough } = await client.getReport(allDays(1), bearer(readKey));
      return dataThrough !== undefined && timestampMs(dataThrough) > sinceMs && Date.now() - sinceMs;
    },
    timeoutMs,
  );
}
