import { Granularity, Metric } from "../gen/footfall/report/v1/report_pb.js";
import { historyTraffic } from "../simulate/traffic.ts";
import type { Installation } from "../standalone/installation.ts";
import { type CreatedMerchant, createMerchant } from "../store/merchants.ts";
import { createPool, type Pool } from "../store/pool.ts";
import { type Accounting, countStored, spanStored } from "./accounting.ts";
import { usualBreakdowns } from "./breakdowns.ts";
import { FreshnessWatch } from "./freshness.ts";
import { goalsTable } from "./goals.ts";
import { hints } from "./hints.ts";
import { Progress } from "./progress.ts";
import { minutes, type Range, Reports, totalOf, utcDays, valuesOf } from "./reports.ts";
import { type SendContext, type Sent, sendLog, sendSimulated } from "./send.ts";
import { accountingText, bucketsTable, chart, merchantsTable } from "./show.ts";

export interface DemoOptions {
  readonly events: number;
  readonly merchants: number;
  readonly seed: number;
  readonly accessLog: string | undefined;
  readonly accessLogSite: string;
  readonly signal: AbortSignal;
  /** Prints a block of the result. */
  readonly print: (text: string) => void;
}

const MINUTE_MS = 60_000;

/** Span of the simulated traffic, ms: the last half hour. */
const SPAN_MS = 30 * MINUTE_MS;

/** How long to wait for the last event to be reportable, ms. */
const SETTLE_MS = 120_000;

interface Stage extends DemoOptions {
  readonly installation: Installation;
  readonly pool: Pool;
  readonly reports: Reports;
  readonly context: SendContext;
}

/** Sends, waits until all is reportable, shows the reports. @returns the accounting. */
export async function runDemo(installation: Installation, options: DemoOptions): Promise<Accounting> {
  const pool = createPool({
    url: installation.databaseUrl,
    name: "demo",
    maxConnections: 1,
    statementTimeoutMs: 60_000,
  });
  try {
    const reports = new Reports(installation.queryUrl);
    const watch = new FreshnessWatch(reports);
    const context = { installation, watch, progress: new Progress(), signal: options.signal };
    const stage = { ...options, installation, pool, reports, context };
    return options.accessLog === undefined ? await showShops(stage) : await showLog(stage, options.accessLog);
  } finally {
    await pool.end();
  }
}

async function showShops(stage: Stage): Promise<Accounting> {
  const now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const { seed, merchants: count, events } = stage;
  const span = { fromMs: now - SPAN_MS, toMs: now };
  // A span of history ends a few visits short; what is sent is cut at exactly the number asked for.
  const planned = Math.ceil(events * 1.01) + 50;
  const traffic = historyTraffic({ seed, merchants: count, batch: 250, events: planned, ...span });
  const merchants: CreatedMerchant[] = [];
  for (let i = 0; i < count; i++) {
    const { name, region } = traffic.shops.get(i);
    const { timeZone, currency } = region;
    merchants.push(await createMerchant(stage.pool, { name, timeZone, currency, retentionDays: 760 }));
  }
  const sent = await sendSimulated(stage.context, merchants, traffic, events);
  const accounting = await settle(stage, merchants, sent, minutes(span.fromMs - SPAN_MS, now + SPAN_MS));
  await printMinutes(stage, merchants[0]!, now);
  const range = minutes(now - SPAN_MS, now);
  for (const table of await usualBreakdowns(stage.reports, merchants[0]!, range)) stage.print(table);
  stage.print(await goalsTable(stage.pool, stage.reports, merchants[0]!, range));
  finish(stage, merchants[0]!, accounting, now);
  return accounting;
}

async function showLog(stage: Stage, file: string): Promise<Accounting> {
  // A log may be old: it is kept as long as can be.
  const settings = { name: file, timeZone: "UTC", currency: "USD", retentionDays: 7_300 };
  const merchant = await createMerchant(stage.pool, settings);
  const sent = await sendLog(stage.context, merchant, file, stage.accessLogSite);
  await stage.context.watch.settled(SETTLE_MS);
  const [first, last] = (await spanStored(stage.pool, merchant.merchantId)) ?? [Date.now(), Date.now()];
  const range = utcDays(first, last);
  const accounting = await settle(stage, [merchant], sent, range);
  const report = await stage.reports.get(merchant, { range, timeZone: "UTC", granularity: Granularity.DAY });
  stage.print(bucketsTable(report, 31, (ms) => new Date(ms).toISOString().slice(0, 10)));
  for (const table of await usualBreakdowns(stage.reports, merchant, range)) stage.print(table);
  finish(stage, merchant, accounting, first);
  return accounting;
}

/** Waits until all is reportable, prints one line a merchant, and takes the accounts. */
async function settle(
  stage: Stage,
  merchants: CreatedMerchant[],
  sent: Sent,
  range: Range,
): Promise<Accounting> {
  const { watch } = stage.context;
  if (!(await watch.settled(SETTLE_MS))) stage.context.progress.say("some events are not reportable yet");
  const reports = await Promise.all(
    merchants.map(async (merchant) => {
      const granularity = range.case === "dates" ? Granularity.DAY : Granularity.HOUR;
      const people = await stage.reports.get(merchant, { range, granularity });
      const all = await stage.reports.get(merchant, { range, granularity, includeBots: true });
      return { merchant, people, all };
    }),
  );
  stage.print(merchantsTable(reports));
  return {
    sent: sent.sent,
    accepted: sent.accepted,
    duplicates: sent.duplicates,
    rejected: sent.rejected,
    stored: await countStored(
      stage.pool,
      merchants.map(({ merchantId }) => merchantId),
    ),
    reported: reports.reduce((sum, { all }) => sum + totalOf(all, Metric.EVENTS), 0),
    freshness_p99_ms: watch.p99Ms,
  };
}

/** The largest shop, minute by minute. */
async function printMinutes(stage: Stage, merchant: CreatedMerchant, now: number): Promise<void> {
  const range = minutes(now - SPAN_MS, now);
  const report = await stage.reports.get(merchant, { range, granularity: Granularity.MINUTE });
  const clock = (ms: number) =>
    new Date(ms).toLocaleTimeString("en-GB", {
      timeZone: report.timeZone,
      hour: "2-digit",
      minute: "2-digit",
    });
  stage.print(`${merchant.name}, the last minutes (${report.timeZone}):`);
  stage.print(bucketsTable(report, 10, clock));
  stage.print(chart("page views a minute", valuesOf(report, Metric.PAGE_VIEWS), 6));
  stage.print(chart("visitors a minute", valuesOf(report, Metric.VISITORS), 4));
  const revenue = valuesOf(report, Metric.REVENUE).map((micros) => micros / 1e6);
  stage.print(chart(`revenue a minute, ${report.currency}`, revenue, 4));
}

function finish(stage: Stage, merchant: CreatedMerchant, accounting: Accounting, day: number): void {
  stage.print(accountingText(accounting));
  stage.print(hints(stage.installation, merchant, new Date(day).toISOString().slice(0, 10)));
}
