import { afterAll, beforeAll, expect, test } from "vitest";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { flood, startFlood, type Told, watchMemory } from "../kit/flood.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { grpcQueryClient, type QueryClient } from "../kit/installation-clients.ts";
import { signal, startSecond } from "../kit/installation-programs.ts";
import { waitUntilReported } from "../kit/installation-reports.ts";
import { waitFor } from "../kit/installation-wait.ts";

/** Events a second of each merchant that the collector is set up for. */
const USUAL = 200;
const MERCHANTS = 4;
/** A process of Node that does nothing takes about 100 MiB, one that is busy 250. */
const MOST_MIB = 400;

let footfall: TestInstallation;
let merchants: CreatedMerchant[];
let client: QueryClient;
beforeAll(async () => {
  const env = { FOOTFALL_COLLECTOR_MERCHANT_EVENTS_PER_SECOND: String(USUAL) };
  footfall = await startTestInstallation({ env });
  client = grpcQueryClient(footfall.queryUrl);
  merchants = [];
  while (merchants.length < MERCHANTS) merchants.push(await createTestMerchant(footfall.pool));
});
afterAll(() => footfall?.close());

/** Every event that was accepted is stored once, none that was refused is, and none is twice. */
async function expectStored(told: Told): Promise<void> {
  const now = Date.now();
  for (const merchant of merchants) await waitUntilReported(client, merchant, now, 60_000);
  const { rows } = await footfall.pool.query<{ url: string }>("SELECT url FROM events");
  const ids = rows.map(({ url }) => decodeURI(new URL(url).pathname.slice(1)));
  const stored = new Set(ids);
  expect(ids.filter((id) => told.refused.has(id))).toEqual([]);
  expect([...told.accepted].filter((id) => !stored.has(id))).toEqual([]);
  const mine = ids.filter((id) => told.accepted.has(id) || told.unknown.has(id));
  expect(mine.length).toBe(new Set(mine).size);
}

test("13 times the usual load: refused with a time to wait, memory bounded, all that was acked stored once", {
  timeout: 120_000,
}, async () => {
  const most = watchMemory({ collector: footfall.pid("collector")!, ingest: footfall.pid("ingest")! });
  const eventsPerSecond = 13 * MERCHANTS * USUAL;
  const writeKeys = merchants.map(({ writeKey }) => writeKey);
  const told = await flood({ url: footfall.collectorUrl, writeKeys, eventsPerSecond, seconds: 3 });
  const { collector, ingest } = most();
  expect(told.unknown.size).toBe(0);
  // The largest request (1,000 events) sets the window: a burst at its beginning may use all of its 5 s of 200 events a second.
  expect(told.accepted.size).toBeGreaterThanOrEqual(MERCHANTS * 1_000);
  expect(told.refused.size).toBeGreaterThan(told.accepted.size);
  for (const wait of told.waits) expect(wait).toBeGreaterThan(0);
  expect(collector).toBeLessThan(MOST_MIB);
  expect(ingest).toBeLessThan(MOST_MIB);
  await expectStored(told);
});

test("the same load while ingest stands still: memory is bounded by the bytes that may wait", {
  timeout: 120_000,
}, async () => {
  const collector = await startSecond(footfall, "collector", {
    FOOTFALL_COLLECTOR_MERCHANT_EVENTS_PER_SECOND: "0",
    FOOTFALL_COLLECTOR_MAX_PENDING_BYTES: String(1 << 20),
    FOOTFALL_COLLECTOR_COMPRESSION: "none",
    FOOTFALL_COLLECTOR_DELIVER_TIMEOUT_MS: "60000",
  });
  try {
    const writeKeys = merchants.map(({ writeKey }) => writeKey);
    // The collector gets to know the keys.
    const warm = await flood({ url: collector.url, writeKeys, eventsPerSecond: 4_000, seconds: 0.1 });
    expect(warm.accepted.size).toBe(400);
    signal(footfall, "ingest", "SIGSTOP");
    const most = watchMemory({ collector: collector.pid });
    const flooding = startFlood({
      url: collector.url,
      writeKeys,
      eventsPerSecond: 13 * MERCHANTS * USUAL,
      seconds: 3,
    });
    await flooding.sent;
    // However slow the machine is: what is sent is more than may wait.
    await waitFor("a refusal", () => flooding.told.refused.size > 0, 40_000);
    signal(footfall, "ingest", "SIGCONT");
    const told = await flooding.answered;
    expect(most().collector).toBeLessThan(MOST_MIB);
    expect(told.refused.size).toBeGreaterThan(0);
    expect(told.accepted.size).toBeGreaterThan(0);
    await expectStored(told);
  } finally {
    await collector.stop();
  }
});
