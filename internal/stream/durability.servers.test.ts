import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openTestNats, type TestNats } from "../../test/kit/nats.ts";
import type { NatsConnection } from "./connect.ts";
import { checkDurability, requireDurability } from "./durability.ts";
import { readServer } from "./server-facts.ts";

const GIB = 2 ** 30;
const SAFE = {
  partitions: 4,
  limits: { replicas: 3, maxAgeMs: 3_600_000, maxBytes: GIB },
  maxBatchBytes: 4 << 20,
};

let nats: TestNats;
let nc: NatsConnection;

beforeAll(async () => {
  nats = await openTestNats({ monitor: true });
  nc = await nats.connect();
});

afterAll(() => nats?.close());

interface Varz {
  readonly version?: string;
  readonly maxPayload?: number;
  readonly maxStorage?: number;
  readonly storage?: number;
  readonly syncAlways?: boolean;
  readonly syncInterval?: number;
  readonly status?: number;
}

/** A monitoring endpoint that answers as nats-server 2.12 does, which this machine need not have. */
async function monitor(name: string, varz: Varz = {}): Promise<string> {
  const body = {
    server_name: name,
    version: varz.version ?? "2.12.1",
    max_payload: varz.maxPayload ?? 8 << 20,
    jetstream: {
      config: {
        max_memory: 0,
        max_storage: varz.maxStorage ?? 8 * GIB,
        sync_interval: varz.syncInterval ?? 120e9,
        ...(varz.syncAlways === false ? {} : { sync_always: true }),
      },
      stats: { storage: varz.storage ?? 0 },
    },
  };
  const server = createServer(({ url }, response) => {
    response.statusCode = url === "/varz" ? (varz.status ?? 200) : 404;
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const three = (varz: Varz = {}) => Promise.all(["n1", "n2", "n3"].map((name) => monitor(name, varz)));
const check = (monitorUrls: string[], changes: Partial<typeof SAFE> = {}) =>
  checkDurability(nc, { ...SAFE, ...changes, monitorUrls });
const NONE = { choices: [], violations: [], warnings: [] };

test("three servers that sync always and have room: nothing to say", async () => {
  expect(await check(await three())).toEqual(NONE);
});

test("a real server's monitoring endpoint is read", async () => {
  const facts = await readServer(nats.monitorUrl!);
  // The embedded server is told so where it can be.
  const canSyncAlways = Number(nc.info!.version.split(".")[1]) >= 10;
  expect(facts).toMatchObject({
    name: "footfall",
    maxPayload: 8 << 20,
    syncAlways: canSyncAlways,
  });
  expect(facts.maxStorage).toBeGreaterThan(0);
  expect(facts.version).toBe(nc.info!.version);
});

test("sync_interval that is not always is a violation of the server that has it", async () => {
  const urls = await three();
  urls[1] = await monitor("lazy", { syncAlways: false });
  const { violations } = await check(urls);
  expect(violations).toEqual([
    expect.stringMatching(/^lazy \(2\.12\.1\): sync_interval is 120 s, `always` is needed/),
  ]);
});

test.each([
  ["too few replicas", { replicas: 1 }, /^FOOTFALL_STREAM_REPLICAS is 1: .* 3 are needed/],
  ["streams without a limit", { maxBytes: 0 }, /^FOOTFALL_STREAM_MAX_BYTES is 0: /],
])("%s are a choice that only strict refuses", async (_, change, message) => {
  const report = await check(await three(), { limits: { ...SAFE.limits, ...change } });
  expect(report).toEqual({ ...NONE, choices: [expect.stringMatching(message)] });
});

test("without a monitoring address nothing is known of the servers", async () => {
  expect((await check([])).choices).toEqual([expect.stringMatching(/^FOOTFALL_NATS_MONITOR_URL is not set/)]);
});

test.each([
  ["2.10.22", 1],
  ["2.10.22-RC.1", 1],
  ["2.10.23", 0],
  ["2.11.0", 0],
])("version %s is a violation: %i", async (version, found) => {
  const { violations } = await check([...(await three()), await monitor("old", { version })]);
  const message = `old: version ${version} can lose a stream when its process crashes`;
  expect(violations.filter((violation) => violation.startsWith(message))).toHaveLength(found);
});

test("max_payload must hold the largest batch and its headers, at every server", async () => {
  const { violations } = await check([...(await three()), await monitor("small", { maxPayload: 4 << 20 })]);
  expect(violations).toEqual([
    "small: max_payload is 4194304 bytes, batches of FOOTFALL_INGEST_MAX_BATCH_BYTES=4194304 with headers need 4202496",
  ]);
  const connected = await check(await three({ maxPayload: 64 << 20 }), { maxBatchBytes: 16 << 20 });
  expect(connected.violations).toEqual([
    expect.stringMatching(/^the NATS server: max_payload is 8388608 bytes/),
  ]);
});

test("the servers must have room for all streams at their limits, beside what others store", async () => {
  // 5 streams of 1 GiB in 3 replicas.
  expect(await check(await three({ maxStorage: 5 * GIB }))).toEqual(NONE);
  expect((await check(await three({ maxStorage: 4.9 * GIB }))).violations).toEqual([
    expect.stringMatching(/^storage: 5 streams of .* need 15\.00 GiB, .* is 14\.70 GiB in all/),
  ]);
  expect((await check(await three({ maxStorage: 6 * GIB, storage: 1.5 * GIB }))).violations).toEqual([
    expect.stringMatching(/of which others use 4\.50 GiB$/),
  ]);
});

test("one server that is away is a warning; when most are, nothing is known, which is a violation", async () => {
  const urls = await three();
  urls[2] = "http://127.0.0.1:1";
  const one = await check(urls);
  expect(one).toEqual({ ...NONE, warnings: [expect.stringContaining("http://127.0.0.1:1: ")] });
  urls[1] = await monitor("broken", { status: 503 });
  const two = await check(urls);
  expect(two.violations).toEqual([expect.stringContaining("answered 503"), expect.stringContaining(":1: ")]);
});

test("strict stops with all that was found, relaxed warns of what the servers do", () => {
  const report = { choices: ["a choice"], violations: ["a violation"], warnings: ["a warning"] };
  const warned: unknown[] = [];
  const log = { warn: (fields: unknown) => void warned.push(fields) };
  requireDurability("relaxed", report, log as never);
  expect(warned).toEqual([{ warning: "a warning" }, { violation: "a violation" }]);
  expect(() => requireDurability("strict", report, log as never)).toThrow(/a choice\na violation$/);
  expect(() => requireDurability("strict", { ...NONE, warnings: ["w"] }, log as never)).not.toThrow();
});
