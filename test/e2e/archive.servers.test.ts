import { afterAll, beforeAll, expect, test } from "vitest";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, collectClient } from "../kit/installation-clients.ts";
import { signal } from "../kit/installation-programs.ts";
import { waitFor } from "../kit/installation-wait.ts";
import { launch } from "../kit/launch.ts";

let footfall: TestInstallation;
let merchant: CreatedMerchant;

beforeAll(async () => {
  footfall = await startTestInstallation({
    archive: true,
    env: { FOOTFALL_ARCHIVER_OBJECT_MAX_AGE_MS: "200", FOOTFALL_ARCHIVER_LEASE_MS: "1000" },
  });
  merchant = await createTestMerchant(footfall.pool);
});
afterAll(() => footfall?.close());

const send = (count: number) =>
  collectClient(footfall.collectorUrl).send(
    { events: Array.from({ length: count }, () => ({ name: "page_view", eventId: crypto.randomUUID() })) },
    bearer(merchant.writeKey),
  );

async function waitUntilArchived(events: number): Promise<void> {
  const sql = "SELECT coalesce(sum(rows), 0)::integer AS n FROM archive_objects";
  const count = async () => (await footfall.pool.query<{ n: number }>(sql)).rows[0]!.n;
  await waitFor(`${events} archived events`, async () => (await count()) >= events, 60_000);
}

test("an installation with an archive archives what it takes, through deaths of archiver and store", async () => {
  await send(40);
  await waitUntilArchived(40);
  signal(footfall, "archiver", "SIGKILL");
  await send(30);
  signal(footfall, "s3", "SIGKILL");
  await send(20);
  await waitUntilArchived(90);
  expect((await fetch(`${footfall.opsUrls.archiver}/readyz`)).status).toBe(200);
  const metrics = await (await fetch(`${footfall.opsUrls.archiver}/metrics`)).text();
  expect(metrics).toMatch(/^footfall_archiver_lag_seconds\{/m);
  const { code, stdout } = await launch("admin", { args: ["archive", "verify", "--json"], env: footfall.env })
    .finished;
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    rows: 90,
    mismatches: [],
    orphans: [],
    unaccounted: [],
  });
  expect(code).toBe(0);
});
