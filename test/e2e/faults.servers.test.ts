import { afterAll, beforeAll, expect, test } from "vitest";
import type { SendSummary } from "../../internal/simulate/send.ts";
import { liveTraffic } from "../../internal/simulate/traffic.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { grpcQueryClient, type QueryClient } from "../kit/installation-clients.ts";
import { Load } from "../kit/installation-load.ts";
import { signal, startSecond } from "../kit/installation-programs.ts";
import { ledgerTotals, storedRows } from "../kit/installation-recount.ts";
import { reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { waitUntilDrained } from "../kit/installation-spool.ts";
import { recorded } from "../kit/installation-traffic.ts";
import { waitFor } from "../kit/installation-wait.ts";

/** Events a second; in requests of 10, so that many are under way when a part dies. */
const RATE = 200;
const { traffic, generated } = recorded(
  liveTraffic({ seed: 3, run: 1, merchants: 3, batch: 10, rate: RATE }),
);

let footfall: TestInstallation;
let merchants: CreatedMerchant[];
let client: QueryClient;
beforeAll(async () => {
  footfall = await startTestInstallation();
  client = grpcQueryClient(footfall.queryUrl);
  merchants = [];
  for (const shop of [0, 1, 2]) {
    const { timeZone, currency } = traffic.shops.get(shop).region;
    merchants.push(await createTestMerchant(footfall.pool, { timeZone, currency }));
  }
});
afterAll(() => footfall?.close());

/** Runs faults under load; then every event that was ever generated must be stored and reported once. */
async function underLoad(faults: (load: Load) => Promise<void>): Promise<void> {
  const target = { target: footfall.collectorUrl, targetOps: footfall.opsUrls.collector };
  const load = new Load({ ...target, client, merchants, traffic, rate: RATE });
  let summary: SendSummary;
  try {
    await load.flows();
    await faults(load);
    await load.flows();
  } finally {
    summary = await load.end();
  }
  const { accepted, duplicates } = summary;
  expect(summary).toMatchObject({ unanswered: 0, rejected: 0, sent: accepted + duplicates });
  await expectAllOnce();
}

async function expectAllOnce(): Promise<void> {
  await waitUntilDrained(footfall.opsUrls.collector);
  const now = Date.now();
  for (const [shop, merchant] of merchants.entries()) {
    await waitUntilReported(client, merchant, now);
    const ids = new Set(generated.filter(({ merchant: of }) => of === shop).map(({ eventId }) => eventId))
      .size;
    expect(ids).toBeGreaterThan(0);
    expect(await storedRows(footfall.pool, merchant.merchantId)).toEqual({ rows: ids, distinct: ids });
    expect((await reportTotals(client, merchant)).events).toBe(BigInt(ids));
  }
  const { rows, stored, duplicates } = await ledgerTotals(footfall.pool);
  expect(stored).toBe(generated.length);
  expect(rows).toBe(stored + duplicates);
  expect((await footfall.pool.query("SELECT * FROM stream_gaps")).rows).toEqual([]);
}

/** Ends a part and waits until the supervisor has started it again. */
async function restart(part: string, name: NodeJS.Signals): Promise<void> {
  const old = signal(footfall, part, name);
  await waitFor(`${part} again`, () => (footfall.pid(part) ?? old) !== old, 60_000);
}

const MINUTES_3 = 180_000;

test("kill -9 of every part, one after another, loses and doubles nothing", {
  timeout: MINUTES_3,
}, async () => {
  const parts = ["aggregator", "ingest", "nats", "timescale", "collector"];
  await underLoad(async (load) => {
    for (const part of parts) {
      await restart(part, "SIGKILL");
      await load.flows();
    }
  });
  expect(footfall.deaths).toEqual(parts.map((part) => ({ part, exitCode: null })));
});

test("all but the collector killed at the same moment loses nothing", { timeout: MINUTES_3 }, async () => {
  await underLoad(async (load) => {
    const parts = ["timescale", "nats", "ingest", "aggregator"];
    await Promise.all(parts.map((part) => restart(part, "SIGKILL")));
    await load.flows();
  });
});

test("a rolling restart of collector and ingest loses nothing", { timeout: MINUTES_3 }, async () => {
  const parts = ["collector", "ingest"];
  await underLoad(async (load) => {
    for (const part of parts) {
      await restart(part, "SIGTERM");
      await load.flows();
    }
  });
  expect(footfall.deaths.slice(-2)).toEqual(parts.map((part) => ({ part, exitCode: 0 })));
});

test("a second aggregator of the same partitions doubles nothing", { timeout: MINUTES_3 }, async () => {
  await underLoad(async (load) => {
    const second = await startSecond(footfall, "aggregator");
    await load.flows();
    await second.stop();
  });
});
