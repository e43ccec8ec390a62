import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../internal/embedded/free-port.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, type CollectClient, collectClient, grpcQueryClient } from "../kit/installation-clients.ts";
import { type SecondProcess, startSecond } from "../kit/installation-programs.ts";
import { storedRows } from "../kit/installation-recount.ts";
import { reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { spooledBatches, waitUntilDrained } from "../kit/installation-spool.ts";
import { launch } from "../kit/launch.ts";

let footfall: TestInstallation;
let merchant: CreatedMerchant;
/** An ingest that nobody starts again, and a collector that knows no other. */
let ingest: SecondProcess;
let collector: SecondProcess;
let client: CollectClient;
let ingestPort: string;
let spoolDir: string;
/** Ids of all events that were acked. */
const acked = new Set<string>();

beforeAll(async () => {
  footfall = await startTestInstallation();
  merchant = await createTestMerchant(footfall.pool);
  ingestPort = String(await freePort());
  spoolDir = join(footfall.dataDir, "spool of the second");
  await startIngest();
  await startCollector();
  await send("live", 3);
});
afterAll(async () => {
  await Promise.all([collector?.stop(), ingest?.stop()]);
  await footfall?.close();
});

async function startIngest(): Promise<void> {
  ingest = await startSecond(footfall, "ingest", { FOOTFALL_INGEST_PORT: ingestPort });
}

const collectorEnv = () => ({
  FOOTFALL_COLLECTOR_ID: "spooling",
  FOOTFALL_INGEST_ADDRESS: `127.0.0.1:${ingestPort}`,
  FOOTFALL_COLLECTOR_SPOOL_DIR: spoolDir,
  FOOTFALL_COLLECTOR_SPOOL_AFTER_MS: "1000",
});

async function startCollector(): Promise<void> {
  collector = await startSecond(footfall, "collector", collectorEnv());
  client = collectClient(collector.url);
}

async function kill({ pid, exited }: SecondProcess): Promise<void> {
  process.kill(pid, "SIGKILL");
  await exited;
}

/** Sends requests of five events, one after another; all must be accepted. @returns the longest answer, ms. */
async function send(name: string, requests: number): Promise<number> {
  let longest = 0;
  for (let request = 0; request < requests; request++) {
    const events = Array.from({ length: 5 }, (_, at) => ({ name, eventId: `${name} ${request} ${at}` }));
    const started = performance.now();
    const { accepted } = await client.send({ events }, bearer(merchant.writeKey));
    longest = Math.max(longest, performance.now() - started);
    expect(accepted).toBe(5);
    for (const { eventId } of events) acked.add(eventId);
  }
  return longest;
}

const spooled = () => spooledBatches(collector.opsUrl);

/** What was acked is in the rows and the report, each event once, and no batch was counted twice. */
async function expectAllOnce(): Promise<void> {
  await waitUntilDrained(collector.opsUrl);
  const query = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(query, merchant, Date.now());
  expect(await storedRows(footfall.pool, merchant.merchantId)).toEqual({
    rows: acked.size,
    distinct: acked.size,
  });
  expect((await reportTotals(query, merchant)).events).toBe(BigInt(acked.size));
  const { rows } = await footfall.pool.query(
    `SELECT sum(duplicates)::integer AS duplicates, sum(rows)::integer AS rows FROM batch_ledger
     WHERE collector_id = 'spooling'`,
  );
  expect(rows).toEqual([{ duplicates: 0, rows: acked.size }]);
}

test("ingest away, collector killed and started again, ingest back: every acked event counts once", async () => {
  await kill(ingest);
  await send("away", 40);
  expect(await spooled()).toBeGreaterThan(0);
  expect((await fetch(`${collector.opsUrl}/readyz`)).status).toBe(200);
  await kill(collector);
  await startCollector();
  expect(await spooled()).toBeGreaterThan(0);
  await startIngest();
  await expectAllOnce();
  await send("back", 3);
  await expectAllOnce();
});

test("a collector that is told to stop while ingest is away stops soon, and loses nothing", async () => {
  await kill(ingest);
  await send("stopping", 10);
  const started = performance.now();
  process.kill(collector.pid, "SIGTERM");
  expect(await collector.exited).toBe(0);
  expect(performance.now() - started).toBeLessThan(10_000);
  await startIngest();
  await startCollector();
  await expectAllOnce();
});

test("an ingest that hangs: events are acked from the spool, and count once when it goes on", async () => {
  // The collector is new, and must have asked for the key while ingest answers.
  await send("before", 1);
  process.kill(ingest.pid, "SIGSTOP");
  try {
    const longest = await send("hanging", 10);
    expect(longest).toBeGreaterThan(900);
    expect(longest).toBeLessThan(9_000);
    expect(await spooled()).toBeGreaterThan(0);
  } finally {
    process.kill(ingest.pid, "SIGCONT");
  }
  await expectAllOnce();
});

test("a second collector on the same spool does not start, and says why", async () => {
  const env = { ...footfall.env, ...collectorEnv(), FOOTFALL_COLLECTOR_PORT: "0" };
  const second = launch("collector", { args: ["--ops-port", "0"], env });
  const { code, stderr } = await second.finished;
  expect(code).toBe(2);
  expect(stderr).toContain(
    `--spool-dir: spool ${join(spoolDir, "spool.db")}: is in use by another collector`,
  );
  await send("first goes on", 1);
  await expectAllOnce();
});
