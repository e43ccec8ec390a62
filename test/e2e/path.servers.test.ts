import { toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Notice_Kind } from "../../internal/gen/footfall/query/v1/info_pb.js";
import { Granularity } from "../../internal/gen/footfall/query/v1/period_pb.js";
import { RunReportResponseSchema } from "../../internal/gen/footfall/query/v1/report_pb.js";
import { Traffic } from "../../internal/gen/footfall/query/v1/scope_pb.js";
import { type SendSummary, sendTraffic } from "../../internal/simulate/send.ts";
import { historyTraffic } from "../../internal/simulate/traffic.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, type QueryClient, queryClients } from "../kit/installation-clients.ts";
import { recount, storedRows } from "../kit/installation-recount.ts";
import {
  dataThroughOf,
  localDays,
  noticed,
  reportNumbers,
  waitUntilReported,
} from "../kit/installation-reports.ts";
import { countSessions, type Generated, recorded } from "../kit/installation-traffic.ts";
import { waitFor } from "../kit/installation-wait.ts";

const EVENTS = 20_000;
const DAY_MS = 86_400_000;
const SHOPS = [0, 1, 2];
/** The shop whose merchant wants reports in another currency than its orders have. */
const FOREIGN = 2;
const ZONES = ["Asia/Kathmandu", "America/New_York"];

let footfall: TestInstallation;
let merchants: CreatedMerchant[];
let clients: Readonly<Record<string, QueryClient>>;
let generated: Generated[];
let summary: SendSummary;
let reportedAfterMs: number[];

beforeAll(async () => {
  footfall = await startTestInstallation();
  clients = queryClients(footfall.queryUrl);
  const toMs = Date.now();
  const history = historyTraffic({
    seed: 7,
    merchants: SHOPS.length,
    batch: 500,
    events: EVENTS,
    fromMs: toMs - 3 * DAY_MS,
    toMs,
  });
  const { shops } = history;
  merchants = [];
  for (const shop of SHOPS) {
    const { timeZone, currency } = shops.get(shop).region;
    const reportsIn = shop === FOREIGN ? "ISK" : currency;
    merchants.push(await createTestMerchant(footfall.pool, { timeZone, currency: reportsIn }));
  }
  const record = recorded(history);
  generated = record.generated;
  const writeKeys = merchants.map(({ writeKey }) => writeKey);
  const target = footfall.collectorUrl;
  summary = await sendTraffic({
    target,
    writeKeys,
    traffic: record.traffic,
    events: 0,
    rate: 0,
    inFlight: 8,
  });
  const ackedMs = Date.now();
  reportedAfterMs = await Promise.all(
    merchants.map((merchant) => waitUntilReported(clients.gRPC!, merchant, ackedMs)),
  );
});
afterAll(() => footfall?.close());

function own(shop: number): Generated[] {
  return generated.filter(({ merchant }) => merchant === shop);
}

const reportRequest = (timeZone: string, granularity: Granularity, traffic = Traffic.PEOPLE) =>
  localDays(
    generated.map(({ time }) => time),
    timeZone,
    granularity,
    traffic,
  );

test("every event sent is accepted, and stored once", async () => {
  expect(summary).toMatchObject({ duplicates: 0, rejected: 0, unanswered: 0 });
  expect(summary.sent).toBe(generated.length);
  expect(summary.accepted).toBe(generated.length);
  expect(generated.length).toBeGreaterThan(EVENTS - 100);
  for (const shop of SHOPS) {
    const { merchantId } = merchants[shop]!;
    const ids = new Set(own(shop).map(({ eventId }) => eventId)).size;
    expect(ids).toBeGreaterThan(1_000);
    expect(await storedRows(footfall.pool, merchantId)).toEqual({ rows: ids, distinct: ids });
  }
});

test("data_through passes the time of the last ack within seconds", () => {
  expect(reportedAfterMs.every((ms) => ms < 10_000)).toBe(true);
});

test("totals are those of the generated events", async () => {
  for (const shop of SHOPS) {
    const all = own(shop);
    const events = all.filter(({ isBot }) => !isBot);
    const orders = events.filter(({ revenue }) => revenue !== undefined);
    const request = reportRequest("UTC", Granularity.DAY);
    const report = await clients.gRPC!.runReport(request, bearer(merchants[shop]!.readKey));
    expect(reportNumbers(report).total).toEqual({
      events: BigInt(events.length),
      page_views: BigInt(events.filter(({ name }) => name === "page_view").length),
      visitors: BigInt(new Set(events.map(({ visitor }) => visitor)).size),
      sessions: BigInt(countSessions(events)),
      revenue: shop === FOREIGN ? 0n : orders.reduce((sum, { revenue }) => sum + revenue!, 0n),
      orders: BigInt(orders.length),
    });
    expect(orders.length).toBeGreaterThan(0);
    const withBots = await clients.gRPC!.runReport(
      reportRequest("UTC", Granularity.DAY, Traffic.ALL),
      bearer(merchants[shop]!.readKey),
    );
    expect(reportNumbers(withBots).total.events).toBe(BigInt(all.length));
    expect(all.length).toBeGreaterThan(events.length);
    expect(noticed(report.info, Notice_Kind.UNCONVERTED_ORDERS)).toBe(
      shop === FOREIGN ? BigInt(orders.length) : 0n,
    );
  }
});

test.each(ZONES)("reports in %s are what plain SQL counts in the rows, bucket by bucket", async (zone) => {
  for (const merchant of merchants) {
    for (const [name, granularity] of [
      ["hour", Granularity.HOUR],
      ["day", Granularity.DAY],
    ] as const) {
      const counted = await recount(footfall.pool, merchant, name, zone);
      expect(counted.buckets.size).toBeGreaterThan(name === "day" ? 2 : 40);
      const report = await clients.gRPC!.runReport(
        reportRequest(zone, granularity),
        bearer(merchant.readKey),
      );
      expect(reportNumbers(report)).toEqual(counted);
    }
  }
});

test("every protocol gives the same answer", async () => {
  const request = reportRequest(ZONES[0]!, Granularity.HOUR);
  const answers = [];
  for (const client of Object.values(clients)) {
    const report = await client.runReport(request, bearer(merchants[0]!.readKey));
    expect(dataThroughOf(report)).toBeGreaterThan(0);
    // They move on from call to call; the first answer is kept for the others.
    const { dataThroughTime: _, quota: __, ...info } = report.info!;
    answers.push(toJson(RunReportResponseSchema, { ...report, info: { ...info, cached: false } }));
  }
  expect(answers.length).toBe(5);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
});

test("the continuous aggregate is what a recount of the rows gives", async () => {
  const count = `SELECT merchant_id, time_bucket(INTERVAL '15 minutes', ts) AS bucket, is_bot, count(*) AS events,
      count(*) FILTER (WHERE name = 'page_view') AS page_views, count(DISTINCT order_id) AS orders,
      count(DISTINCT order_id) FILTER (WHERE revenue_micros IS NULL) AS unconverted_orders,
      sum(revenue_micros) AS revenue_micros
    FROM events GROUP BY 1, 2, 3`;
  await waitFor("the refresh of all buckets", async () => {
    return (await footfall.pool.query("SELECT FROM invalidations WHERE grain = '15m'")).rowCount === 0;
  });
  const columns =
    "merchant_id, bucket, is_bot, events, page_views, orders, unconverted_orders, revenue_micros";
  const sides = {
    aggregate: `SELECT ${columns} FROM totals_15m`,
    recount: `SELECT ${columns} FROM (${count}) c`,
  };
  const { rows } = await footfall.pool.query(
    `SELECT (SELECT count(*) FROM (${sides.recount}) r)::integer AS buckets,
       (SELECT count(*) FROM (${sides.aggregate} EXCEPT ${sides.recount}) x)::integer AS wrong,
       (SELECT count(*) FROM (${sides.recount} EXCEPT ${sides.aggregate}) y)::integer AS missing`,
  );
  expect(rows[0]).toMatchObject({ wrong: 0, missing: 0 });
  expect(rows[0].buckets).toBeGreaterThan(500);
});
