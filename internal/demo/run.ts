import { reportChart } from "../client/show/chart.ts";
import { rowsTable } from "../client/show/table.ts";
import { Granularity } from "../gen/footfall/query/v1/period_pb.js";
import { Traffic } from "../gen/footfall/query/v1/scope_pb.js";
import { historyTraffic } from "../simulate/traffic.ts";
import type { Installation } from "../standalone/installation.ts";
import { type CreatedMerchant, createMerchant } from "../store/merchants.ts";
import { createPool, type Pool } from "../store/pool.ts";
import { type Accounting, countStored, spanStored } from "./accounting.ts";
import { comparedChannels, FILTER, filteredCountries, shopFunnel, usualBreakdowns } from "./breakdowns.ts";
import { FreshnessWatch } from "./freshness.ts";
import { goalsTable } from "./goals.ts";
import { hints } from "./hints.ts";
import { PATIENCE_MS } from "./patience.ts";
import { Progress } from "./progress.ts";
import { between, type Period, Reports, utcDays } from "./reports.ts";
import { type SendContext, type Sent, sendLog, sendSimulated } from "./send.ts";
import { accountingText, eventsIn, type MerchantReports, merchantsTable, TOTALS } from "./show.ts";

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
    statementTimeoutMs: PATIENCE_MS,
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
  const accounting = await settle(stage, merchants, sent, between(span.fromMs - SPAN_MS, now + SPAN_MS));
  await printMinutes(stage, merchants[0]!, now);
  await printBreakdowns(stage, merchants[0]!, now);
  finish(stage, merchants[0]!, accounting, now);
  return accounting;
}

async function showLog(stage: Stage, file: string): Promise<Accounting> {
  // A log may be old: it is kept as long as can be.
  const settings = { name: file, timeZone: "UTC", currency: "USD", retentionDays: 7_300 };
  const merchant = await createMerchant(stage.pool, settings);
  const sent = await sendLog(stage.context, merchant, file, stage.accessLogSite);
  await stage.context.watch.settled(PATIENCE_MS);
  const [first, last] = (await spanStored(stage.pool, merchant.merchantId)) ?? [Date.now(), Date.now()];
  const period = utcDays(first, last);
  const accounting = await settle(stage, [merchant], sent, period);
  const lastMonth = utcDays(Math.max(first, last - 30 * 24 * 60 * MINUTE_MS), last);
  const byDay = { period: lastMonth, metrics: TOTALS, dimensions: ["time"], granularity: Granularity.DAY };
  stage.print(rowsTable(await stage.reports.get(merchant, byDay)));
  for (const table of await usualBreakdowns(stage.reports, merchant, period)) stage.print(table);
  finish(stage, merchant, accounting, first);
  return accounting;
}

/** Waits until all is reportable, prints one line a merchant, and takes the accounts. */
async function settle(
  stage: Stage,
  merchants: CreatedMerchant[],
  sent: Sent,
  period: Period,
): Promise<Accounting> {
  const { watch } = stage.context;
  if (!(await watch.settled(PATIENCE_MS))) stage.context.progress.say("some events are not reportable yet");
  const reports: MerchantReports[] = [];
  for (const merchant of merchants) {
    const question = { period, metrics: TOTALS };
    const people = await stage.reports.get(merchant, question);
    const all = await stage.reports.get(merchant, { ...question, scope: { traffic: Traffic.ALL } });
    reports.push({ merchant, people, all });
  }
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
    reported: reports.reduce((sum, { all }) => sum + eventsIn(all), 0),
    freshness_p99_ms: watch.p99Ms,
  };
}

/** How many of the last minutes are shown as a table. */
const LAST_MINUTES = 10;

/** Most columns of a chart. */
const CHART_WIDTH = 90;

/** The largest shop, minute by minute. */
async function printMinutes(stage: Stage, merchant: CreatedMerchant, now: number): Promise<void> {
  const byMinute = { dimensions: ["time"], granularity: Granularity.MINUTE };
  const last = between(now - LAST_MINUTES * MINUTE_MS, now);
  stage.print(`${merchant.name}, the last minutes:`);
  stage.print(rowsTable(await stage.reports.get(merchant, { ...byMinute, period: last, metrics: TOTALS })));
  const all = { ...byMinute, period: between(now - SPAN_MS, now) };
  const metrics = ["page_views", "visitors", "revenue"];
  stage.print(reportChart(await stage.reports.get(merchant, { ...all, metrics }), CHART_WIDTH));
}

/** What the largest shop asks about: its breakdowns, a comparison, a filter, its goals. */
async function printBreakdowns(
  { reports, print, pool }: Stage,
  merchant: CreatedMerchant,
  now: number,
): Promise<void> {
  const period = between(now - SPAN_MS, now);
  for (const table of await usualBreakdowns(reports, merchant, period)) print(table);
  print("The last quarter of an hour beside the one before:");
  print(await comparedChannels(reports, merchant, between(now - SPAN_MS / 2, now)));
  print("How far visitors come within a session:");
  print(await shopFunnel(reports, merchant, period));
  print(`Only ${FILTER}:`);
  print(await filteredCountries(reports, merchant, period));
  print(await goalsTable(pool, reports, merchant, period));
}

function finish(stage: Stage, merchant: CreatedMerchant, accounting: Accounting, day: number): void {
  stage.print(accountingText(accounting));
  stage.print(hints(stage.installation, merchant, new Date(day).toISOString().slice(0, 10)));
}
