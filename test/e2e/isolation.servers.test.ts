import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../internal/event/partition.ts";
import { sendTraffic } from "../../internal/simulate/send.ts";
import { liveTraffic } from "../../internal/simulate/traffic.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import {
  createNeighbours,
  PARTITIONS,
  startTestInstallation,
  type TestInstallation,
} from "../kit/installation.ts";
import {
  bearer,
  collectClient,
  grpcQueryClient,
  postJson,
  type QueryClient,
  refusedCall,
} from "../kit/installation-clients.ts";
import { startSecond } from "../kit/installation-programs.ts";
import { recount } from "../kit/installation-recount.ts";
import { allDays, reportNumbers, reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { recorded } from "../kit/installation-traffic.ts";
import { testKey } from "../kit/keys.ts";

const { traffic, generated } = recorded(liveTraffic({ seed: 5, run: 1, merchants: 2, batch: 10, skew: 0.3 }));
/** Both merchants' events share this visitor, session and order. */
const SHARED = {
  name: "purchase",
  eventId: "the same id",
  visitorId: "the same person",
  sessionId: "the same visit",
  order: { id: "1", revenueMicros: 5_000_000n },
};

let footfall: TestInstallation;
let a: CreatedMerchant;
let b: CreatedMerchant;
let client: QueryClient;
beforeAll(async () => {
  footfall = await startTestInstallation();
  [a, b] = await createNeighbours(footfall.pool);
  client = grpcQueryClient(footfall.queryUrl);
  const target = footfall.collectorUrl;
  const writeKeys = [a.writeKey, b.writeKey];
  const summary = await sendTraffic({ target, writeKeys, traffic, events: 2_000, rate: 0, inFlight: 16 });
  expect(summary).toMatchObject({ accepted: 2_000 });
  for (const { writeKey } of [a, b]) {
    await collectClient(target).send({ events: [SHARED] }, bearer(writeKey));
  }
  await Promise.all([a, b].map((merchant) => waitUntilReported(client, merchant, Date.now())));
});
afterAll(() => footfall?.close());

test("merchants of one partition, in the same batches, see only their own numbers", async () => {
  expect(partitionOf(a.merchantId, PARTITIONS)).toBe(partitionOf(b.merchantId, PARTITIONS));
  const { rows } = await footfall.pool.query("SELECT max(rows)::integer AS largest FROM batch_ledger");
  expect(rows[0].largest).toBeGreaterThan(10);
  for (const [shop, merchant] of [a, b].entries()) {
    const totals = await reportTotals(client, merchant);
    expect(totals.events).toBe(
      BigInt(1 + generated.slice(0, 2_000).filter((event) => event.merchant === shop).length),
    );
    expect(totals).toEqual((await recount(footfall.pool, merchant, "day", "UTC", true)).total);
  }
});

test("one person has nothing in common between two merchants", async () => {
  const { rows } = await footfall.pool.query(
    "SELECT count(DISTINCT visitor_id) AS visitors, count(DISTINCT session_id) AS sessions FROM events WHERE order_id = '1'",
  );
  expect(rows).toEqual([{ visitors: "2", sessions: "2" }]);
});

test("the report of a merchant with another's read key is refused over every protocol", async () => {
  const of = (merchantId: number) => ({ ...allDays(1), scope: { merchantId } });
  const refused = await refusedCall(client.runReport(of(a.merchantId), bearer(b.readKey)));
  expect(refused.code).toBe("PermissionDenied");
  const body = {
    scope: { merchantId: a.merchantId },
    period: { dates: { startDate: "2025-01-01", endDate: "2025-01-02" } },
    metrics: ["events"],
  };
  const rpc = "footfall.query.v1.QueryService/RunReport";
  const json = await postJson(footfall.queryUrl, rpc, b.readKey, body);
  expect([json.status, json.body.code]).toEqual([403, "permission_denied"]);
  // A merchant that does not exist looks the same as one that is another's.
  const absent = client.runReport(of(4_000_000), bearer(b.readKey));
  expect((await refusedCall(absent)).code).toBe("PermissionDenied");
});

test("without a merchant id, or with 0, the report is the key's own merchant's", async () => {
  const expected = await reportTotals(client, b);
  expect(expected).not.toEqual(await reportTotals(client, a));
  const request = allDays(b.retentionDays);
  for (const merchantId of [0, b.merchantId]) {
    const scope = { ...request.scope, merchantId };
    const report = await client.runReport({ ...request, scope }, bearer(b.readKey));
    expect(reportNumbers(report).total).toEqual(expected);
  }
});

test("a write key cannot read, a read key cannot write, and unknown API keys can do neither", async () => {
  const unknown = bearer(testKey("ffr_unknown"));
  for (const key of [bearer(a.writeKey), unknown, {}]) {
    expect((await refusedCall(client.runReport(allDays(1), key))).code).toBe("Unauthenticated");
  }
  const events = [{ name: "page_view" }];
  for (const key of [bearer(a.readKey), unknown, {}]) {
    const call = collectClient(footfall.collectorUrl).send({ events }, key);
    expect((await refusedCall(call)).code).toBe("Unauthenticated");
  }
});

test("a merchant over its limit is told when to come back, and the others do not notice", async () => {
  const query = await startSecond(footfall, "query", { FOOTFALL_QUERY_REQUESTS_PER_MINUTE: "3" });
  try {
    const limited = grpcQueryClient(query.url);
    for (let i = 0; i < 3; i++) await limited.runReport(allDays(1), bearer(a.readKey));
    const { code, message, retryAfterMs } = await refusedCall(
      limited.runReport(allDays(1), bearer(a.readKey)),
    );
    expect(code).toBe("ResourceExhausted");
    expect(message).toContain("3 requests a minute");
    expect(Number(retryAfterMs)).toBeGreaterThan(0);
    expect(Number(retryAfterMs)).toBeLessThanOrEqual(60_000);
    expect((await limited.runReport(allDays(1), bearer(b.readKey))).totalSize).toBeGreaterThan(0);
  } finally {
    await query.stop();
  }
});

test("a revoked API key stops working within seconds, the merchant's other API keys go on", async () => {
  const query = await startSecond(footfall, "query", { FOOTFALL_QUERY_KEY_FRESH_MS: "0" });
  try {
    await footfall.pool.query(
      "UPDATE api_keys SET revoked_at = now() WHERE merchant_id = $1 AND kind = 'read'",
      [a.merchantId],
    );
    const refused = await refusedCall(grpcQueryClient(query.url).runReport(allDays(1), bearer(a.readKey)));
    expect(refused.code).toBe("Unauthenticated");
    const events = [{ name: "page_view" }];
    expect((await collectClient(footfall.collectorUrl).send({ events }, bearer(a.writeKey))).accepted).toBe(
      1,
    );
  } finally {
    await query.stop();
  }
});
