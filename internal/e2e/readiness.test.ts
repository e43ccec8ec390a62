import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestInstallation, type TestInstallation } from "../testkit/installation.ts";
import { waitFor } from "../testkit/installation-wait.ts";

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

test("a database that hangs: who needs it is not ready, ingest goes on and says so, all of them live", async () => {
  await allReady();
  const pid = footfall.pid("timescale")!;
  process.kill(pid, "SIGSTOP");
  try {
    await says("query", 503, /^database: /);
    await says("aggregator", 503, /^database: /);
    await says("ingest", 200, /^ok\ndatabase: /);
    await says("collector", 200, /^ok$/);
    for (const url of Object.values(footfall.opsUrls)) expect((await fetch(`${url}/livez`)).status).toBe(200);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await allReady();
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
