import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../internal/gen/health_pb.js";
import { ServerReflection } from "../../internal/gen/reflection_pb.js";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import { bearer, collectClient, grpcQueryClient, refusedCall } from "../kit/installation-clients.ts";
import { startSecond } from "../kit/installation-programs.ts";
import { allDays, reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { launch } from "../kit/launch.ts";

const SERVICES = ["collector", "ingest", "aggregator", "query"] as const;

let footfall: TestInstallation;
let merchant: CreatedMerchant;
/** Address and full name of each gRPC service. */
let served: readonly (readonly [url: string, name: string])[];
beforeAll(async () => {
  footfall = await startTestInstallation();
  merchant = await createTestMerchant(footfall.pool);
  served = [
    [footfall.collectorUrl, "footfall.collect.v1.CollectService"],
    [`http://${footfall.env.FOOTFALL_INGEST_ADDRESS}`, "footfall.ingest.v1.IngestService"],
    [footfall.queryUrl, "footfall.query.v1.QueryService"],
  ];
});
afterAll(() => footfall?.close());

async function servicesAt(baseUrl: string): Promise<string[]> {
  async function* question() {
    yield { messageRequest: { case: "listServices", value: "" } } as const;
  }
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl }));
  for await (const { messageResponse } of client.serverReflectionInfo(question())) {
    if (messageResponse.case === "listServicesResponse") {
      return messageResponse.value.service.map(({ name }) => name);
    }
  }
  return [];
}

const STANDARD = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"];

test("every service answers health checks on its port; Watch and reflection are the operators' port's", async () => {
  for (const [url, name] of served) {
    const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
    for (const service of ["", name]) expect((await health.check({ service })).status).toBe(Status.SERVING);
    expect((await refusedCall(health.check({ service: "no.such.Service" }))).code).toBe("NotFound");
    expect((await refusedCall(servicesAt(url))).code).toBe("Unimplemented");
    const watching = health.watch({ service: "" })[Symbol.asyncIterator]().next();
    expect((await refusedCall(watching)).code).toBe("Unimplemented");
  }
  const owned = Object.fromEntries(served.map(([, name]) => [name.split(".")[1]!, name]));
  const programs = { collect: "collector", ingest: "ingest", query: "query" } as const;
  for (const [part, program] of Object.entries(programs)) {
    expect(await servicesAt(footfall.opsUrls[program]!)).toContain(owned[part]);
  }
  for (const url of Object.values(footfall.opsUrls)) {
    const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
    expect((await health.check({ service: "" })).status).toBe(Status.SERVING);
    expect(await servicesAt(url)).toEqual(expect.arrayContaining(STANDARD));
    const page = await fetch(`${url}/readyz`);
    expect([page.status, await page.text()]).toEqual([200, "ok\n"]);
  }
});

/** A counter's value: the sum over its labels. */
async function metric(service: (typeof SERVICES)[number], name: string): Promise<number> {
  const text = await (await fetch(`${footfall.opsUrls[service]}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  expect(lines.length).toBeGreaterThan(0);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

test("metrics count what was sent, from the collector to the rows", async () => {
  const good = Array.from({ length: 70 }, (_, index) => ({ name: "page_view", eventId: `event ${index}` }));
  const client = collectClient(footfall.collectorUrl);
  const sent = await client.send({ events: [...good, { name: "" }, ...good] }, bearer(merchant.writeKey));
  expect([sent.accepted, sent.duplicates, sent.rejected]).toEqual([70, 70, 1]);
  await waitUntilReported(grpcQueryClient(footfall.queryUrl), merchant, Date.now());
  expect(await metric("collector", "footfall_collector_events_total")).toBe(141);
  expect(await metric("collector", "footfall_collector_rejected_total")).toBe(1);
  expect(await metric("collector", "footfall_collector_pending_bytes")).toBe(0);
  expect(await metric("ingest", "footfall_ingest_events_total")).toBe(70);
  expect(await metric("aggregator", "footfall_aggregator_rows_total")).toBe(70);
  for (const service of SERVICES)
    expect(await metric(service, "process_cpu_seconds_total")).toBeGreaterThan(0);
});

test("a merchant that `admin` creates can write and read at once", async () => {
  const admin = async (...args: string[]) => {
    const env = { DATABASE_URL: footfall.databaseUrl };
    const { code, stdout } = await launch("admin", { args: ["merchants", ...args, "--json"], env }).finished;
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };
  const about = ["--name", "Tea", "--time-zone", "Asia/Tokyo", "--currency", "JPY"];
  const tea: CreatedMerchant = await admin("create", ...about);
  expect(await admin("list")).toContainEqual({
    merchantId: tea.merchantId,
    name: "Tea",
    timeZone: "Asia/Tokyo",
    currency: "JPY",
    retentionDays: 760,
    truncateIp: true,
    ownDomains: [],
    ignoredReferrers: [],
    rollupsReadyFrom: null,
  });
  const event = { name: "purchase", order: { id: "1", revenueMicros: 900_000_000n } };
  await collectClient(footfall.collectorUrl).send({ events: [event] }, bearer(tea.writeKey));
  const client = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(client, tea, Date.now());
  expect(await reportTotals(client, tea)).toMatchObject({ events: 1n, orders: 1n, revenue: 900_000_000n });
  const { info } = await client.runReport(allDays(1), bearer(tea.readKey));
  expect(info).toMatchObject({ timeZone: "Asia/Tokyo", currency: "JPY" });
});

test.each(SERVICES)("SIGTERM ends %s with exit code 0 within seconds", async (service) => {
  const second = await startSecond(footfall, service);
  const began = performance.now();
  process.kill(second.pid, "SIGTERM");
  expect(await second.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(8_000);
});

test("stop leaves no process, and a second start in the same folder shows the same report", async () => {
  const before = await reportTotals(grpcQueryClient(footfall.queryUrl), merchant);
  expect(before.events).toBe(70n);
  const pids = ["timescale", "nats", ...SERVICES].map((part) => footfall.pid(part)!);
  for (const pid of pids) process.kill(pid, 0);
  await footfall.stop();
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  const { dataDir } = footfall;
  footfall = await startTestInstallation({ dataDir });
  const client = grpcQueryClient(footfall.queryUrl);
  expect(await reportTotals(client, merchant)).toEqual(before);
  const again = [
    { name: "page_view", eventId: "event 0" },
    { name: "page_view", eventId: "new" },
  ];
  await collectClient(footfall.collectorUrl).send({ events: again }, bearer(merchant.writeKey));
  await waitUntilReported(client, merchant, Date.now());
  expect((await reportTotals(client, merchant)).events).toBe(71n);
});
