import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, collectClient } from "../kit/installation-clients.ts";
import { waitFor } from "../kit/installation-wait.ts";

let footfall: TestInstallation;

beforeAll(async () => {
  footfall = await startTestInstallation({ env: { FOOTFALL_UNREADY_AFTER_MS: "1000" } });
}, 120_000);
afterAll(() => footfall?.close(), 60_000);

type Name = "collector" | "ingest" | "aggregator" | "query";

/** What a program says of itself: the status of /readyz and its lines. */
async function readiness(program: Name): Promise<[number, string]> {
  const answer = await fetch(`${footfall.opsUrls[program]}/readyz`);
  return [answer.status, (await answer.text()).trim()];
}

/** Waits until a program says what is expected. */
function says(program: Name, status: number, text: RegExp): Promise<unknown> {
  return waitFor(`${program} to say ${status} ${text}`, async () => {
    const [is, said] = await readiness(program);
    if (is !== status || !text.test(said)) throw new Error(`${is} ${said}`);
    return true;
  });
}

async function allReady(): Promise<void> {
  for (const program of ["collector", "ingest", "aggregator", "query"] as const)
    await says(program, 200, /^ok$/);
}

/** The largest sample of a metric, over its labels; undefined where it has none. */
async function largest(program: Name, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${footfall.opsUrls[program]}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].map(([, value]) =>
    Number(value),
  );
  return values.length === 0 ? undefined : Math.max(...values);
}

const LAG = "footfall_aggregator_lag_seconds";
const FAILURES = "footfall_aggregator_failures_total";

test("samples are there from the start", async () => {
  const names = [
    "refresh_lag_seconds",
    "unconverted_chunks",
    "failures_total",
    "dead_letters_total",
    "lag_seconds",
  ];
  for (const name of names) expect(await largest("aggregator", `footfall_aggregator_${name}`)).toBeDefined();
  expect(await largest("aggregator", "footfall_build_info")).toBe(1);
  for (const name of ["events", "batches", "oldest_age_seconds", "refused_total"]) {
    expect(await largest("collector", `footfall_collector_spool_${name}`)).toBe(0);
  }
  expect(await largest("ingest", "footfall_ingest_dead_letters_total")).toBe(0);
});

test("a database that hangs: the lag grows and stays, failures are counted, and all is told", async () => {
  await allReady();
  const { writeKey } = await createTestMerchant(footfall.pool);
  const client = collectClient(footfall.collectorUrl);
  await client.send({ events: [{ name: "before" }] }, bearer(writeKey));
  const pid = footfall.pid("timescale")!;
  process.kill(pid, "SIGSTOP");
  try {
    await client.send({ events: [{ name: "while it hangs" }] }, bearer(writeKey));
    await says("query", 503, /^database: /);
    // Longer than the leases last, and than their owner waits: nobody owns a partition then.
    await waitFor("a lag of 12 s", async () => ((await largest("aggregator", LAG)) ?? 0) > 12);
    expect(await largest("aggregator", "footfall_aggregator_partitions_owned")).toBe(0);
    await waitFor("a failure", async () => ((await largest("aggregator", FAILURES)) ?? 0) > 0);
    await says("aggregator", 503, /^database: /);
    await says("ingest", 200, /^ok\ndatabase: /);
    await says("collector", 200, /^ok$/);
    for (const url of Object.values(footfall.opsUrls)) expect((await fetch(`${url}/livez`)).status).toBe(200);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await allReady();
  await waitFor("no lag", async () => (await largest("aggregator", LAG)) === 0);
}, 120_000);

test("a JetStream that is switched off, as on a full disk: what to do is said, and done it is over", async () => {
  const file = join(footfall.dataDir, "nats", "nats-server.conf");
  const configuration = await readFile(file, "utf8");
  const reload = async (text: string) => {
    await writeFile(file, text);
    process.kill(footfall.pid("nats")!, "SIGHUP");
  };
  await reload(configuration.replace("jetstream {", "jetstream {\n  enabled: false"));
  const what = /^jetstream: .* make room there, then reload it .* or start it again$/;
  await says("ingest", 503, what);
  await says("aggregator", 503, what);
  await says("collector", 200, /^ok$/);
  await says("query", 200, /^ok$/);
  await reload(configuration);
  await allReady();
}, 120_000);
