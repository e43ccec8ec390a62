import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, grpcQueryClient } from "../kit/installation-clients.ts";
import { type SecondProcess, signal, startSecond } from "../kit/installation-programs.ts";
import { storedRows } from "../kit/installation-recount.ts";
import { allDays, dataThroughOf, reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { waitFor } from "../kit/installation-wait.ts";
import { RollingLoad } from "../kit/rolling-load.ts";
import { type NewEvent, SdkClient } from "../kit/sdk-client.ts";

let footfall: TestInstallation;
let merchant: CreatedMerchant;
const seconds: SecondProcess[] = [];
const clients: SdkClient[] = [];
beforeAll(async () => {
  footfall = await startTestInstallation();
  merchant = await createTestMerchant(footfall.pool);
  for (const name of ["collector", "query"] as const) seconds.push(await startSecond(footfall, name));
});
afterAll(async () => {
  for (const client of clients) client.close();
  for (const second of seconds) await second.stop();
  await footfall?.close();
});

function sdk(urls: readonly string[], key: string): SdkClient {
  const client = new SdkClient(urls, key);
  clients.push(client);
  return client;
}

/** Stops a part as an operator would, and waits until the supervisor has started it again. */
async function restart(part: string): Promise<void> {
  const old = signal(footfall, part, "SIGTERM");
  await waitFor(`${part} again`, () => (footfall.pid(part) ?? old) !== old, 60_000);
}

/** The same with a process beside the installation's, on the same port. */
async function restartSecond(name: "collector" | "query"): Promise<void> {
  const at = name === "collector" ? 0 : 1;
  const { url, stop, exited } = seconds[at]!;
  await stop();
  expect(await exited).toBe(0);
  const port = new URL(url).port;
  seconds[at] = await startSecond(footfall, name, { [`FOOTFALL_${name.toUpperCase()}_PORT`]: port });
}

/** Sends as docs/sdk-rules.md tells clients without gRPC: again after a lost connection, a 429 or a 503. */
async function sendJson(url: string, events: readonly NewEvent[]): Promise<void> {
  const rpc = `${url}/footfall.collect.v1.CollectService/Send`;
  const headers = { "content-type": "application/json", authorization: `Bearer ${merchant.writeKey}` };
  for (let tries = 1; ; tries++) {
    const answer = await fetch(rpc, { method: "POST", headers, body: JSON.stringify({ events }) }).catch(
      (error: unknown) => {
        if (tries > 50) throw error;
      },
    );
    if (answer?.ok) {
      const { statuses } = (await answer.json()) as { statuses: string[] };
      if (!statuses.includes("EVENT_STATUS_UNAVAILABLE")) return;
    } else if (answer !== undefined) {
      const { code, message } = (await answer.json()) as { code: string; message: string };
      if (![429, 503].includes(answer.status)) throw new Error(`${code}: ${message}`);
      await sleep(Number(answer.headers.get("retry-after")) * 1_000);
      continue;
    }
    await sleep(200);
  }
}

test("every service is restarted in turn under load: no request fails, no event is lost or counted twice", {
  timeout: 400_000,
}, async () => {
  const [collector, query] = seconds;
  const load = new RollingLoad();
  const { writeKey, readKey } = merchant;
  const one = sdk([footfall.collectorUrl], writeKey);
  const both = sdk([footfall.collectorUrl, collector!.url], writeKey);
  const reports = sdk([footfall.queryUrl, query!.url], readKey);
  load.sender("one collector", (events) => one.send(events));
  load.sender("two collectors", (events) => both.send(events));
  load.sender("JSON over HTTP/1.1", (events) => sendJson(footfall.collectorUrl, events));
  load.client("reports", async () => {
    await reports.report(allDays(1));
    await sleep(100);
  });
  const restarts = {
    collector: () => restart("collector"),
    "second collector": () => restartSecond("collector"),
    ingest: () => restart("ingest"),
    aggregator: () => restart("aggregator"),
    query: () => restart("query"),
    "second query": () => restartSecond("query"),
    nats: () => restart("nats"),
    timescale: () => restart("timescale"),
  };
  const failed: string[] = [];
  try {
    await load.flows();
    for (const [part, again] of Object.entries(restarts)) {
      await again();
      await load.flows();
      failed.push(...load.failed.splice(0).map((failure) => `while ${part} restarted: ${failure}`));
    }
  } finally {
    await load.end();
  }
  expect([...failed, ...load.failed]).toEqual([]);
  const client = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(client, merchant, Date.now(), 60_000);
  const all = load.sent.length;
  expect(new Set(load.sent).size).toBe(all);
  expect(await storedRows(footfall.pool, merchant.merchantId)).toEqual({ rows: all, distinct: all });
  expect((await reportTotals(client, merchant)).events).toBe(BigInt(all));
  expect(dataThroughOf(await client.runReport(allDays(1), bearer(readKey)))).toBeDefined();
  // Each of the installation's services stopped in order, none was killed or failed to drain.
  const services = ["collector", "ingest", "aggregator", "query"];
  const ends = footfall.deaths.filter(({ part }) => services.includes(part));
  expect(ends).toEqual(services.map((part) => ({ part, exitCode: 0 })));
});
