import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CONSUMER } from "../../internal/stream/partition-feed.ts";
import { DEAD_LETTER_STREAM, eventsStream } from "../../internal/stream/streams.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { LineProxy } from "../../test/kit/line-proxy.ts";
import { NO_FAULT } from "../../test/kit/network-fault.ts";
import { metric } from "../../test/kit/service.ts";
import { Load } from "./testing/load.ts";
import { processMetric, settled } from "./testing/owners.ts";
import { batchFor, PARTITIONS, Rig } from "./testing/rig.ts";

const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const FAILURES = "footfall_aggregator_failures_total";
const MIB = 1 << 20;

/** Limits that are reached within a test. */
const IMPATIENT = {
  "idle-in-transaction-timeout-ms": "1000",
  "statement-timeout-ms": "2000",
  "transaction-timeout-ms": "3000",
  "refresh-timeout-ms": "3000",
};

let rig: Rig;
let load: Load;
/** The network between aggregators and the database. */
let proxy: LineProxy;

beforeAll(async () => {
  rig = await Rig.open();
  load = new Load(rig, ALL);
  const { hostname, port } = new URL(rig.database.url);
  expect(hostname).toBe("127.0.0.1");
  proxy = await LineProxy.start(Number(port));
});

afterEach(async () => {
  proxy?.meet(NO_FAULT);
  await rig?.stop();
});

afterAll(async () => {
  await rig?.stop();
  await proxy?.close();
  await rig?.close();
});

/** Settings of an aggregator that reaches the database through the proxy. */
function through(): { "database-url": string; "lease-ms": string } {
  const url = new URL(rig.database.url);
  url.port = String(proxy.port);
  return { "database-url": url.href, "lease-ms": "2000" };
}

/** Nobody holds the database: a write to every row that commits touch goes through, and nothing is left open. */
async function expectNothingOpen(): Promise<void> {
  await rig.query("UPDATE partitions SET committed_through = committed_through");
  await rig.query("DELETE FROM invalidations WHERE start < '1970-01-01'");
  const sessions = (having: string) =>
    rig.query(
      `SELECT application_name, state, query FROM pg_stat_activity
       WHERE application_name LIKE 'aggregator %' AND datname = current_database() AND ${having}`,
    );
  expect(await sessions("xact_start IS NOT NULL")).toEqual([]);
  // A network that has fallen silent keeps connections at the other end. Nobody else does.
  proxy.meetOnce({ kind: "cut" });
  await waitFor("the end of all connections", async () => (await sessions("true")).length === 0);
}

test("the database is full for a while: it waits, gives nothing up, and goes on by itself", async () => {
  const kept = (await (await jetstreamManager(rig.nc)).streams.info(DEAD_LETTER_STREAM)).state.last_seq;
  const service = await rig.start();
  const stop = load.keepPublishing();
  await load.progress(5);
  for (const state of ["53100", "57P03", "40P01"]) {
    const before = await metric(service, FAILURES);
    await rig.query(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '${state}'; END $$`);
    await rig.query(
      "CREATE TRIGGER refuse BEFORE INSERT ON batch_ledger FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    await waitFor("failures", async () => (await metric(service, FAILURES)) >= before + 2);
    await rig.query("DROP TRIGGER refuse ON batch_ledger");
  }
  await load.progress(5);
  await stop();
  await load.expectAllOnce();
  expect((await (await jetstreamManager(rig.nc)).streams.info(DEAD_LETTER_STREAM)).state.last_seq).toBe(kept);
  const { values } = await service.registry.getSingleMetric(FAILURES)!.get();
  const failed = values.filter(({ value }) => value > 0);
  expect(new Set(failed.map(({ labels }) => labels.cause))).toEqual(new Set(["database"]));
  await rig.stop();
  await expectNothingOpen();
});

test("the database answers late: commits go on, slower, and nothing starts over", async () => {
  const service = await rig.start({ ...through(), "lease-ms": "20000" });
  const stop = load.keepPublishing();
  await load.progress(3);
  proxy.meet({ kind: "delay", ms: 5 });
  await load.progress(3);
  proxy.meet(NO_FAULT);
  await load.progress(3);
  await stop();
  await load.expectAllOnce();
  expect(await metric(service, "footfall_aggregator_leases_lost_total")).toBe(0);
  expect(await metric(service, FAILURES)).toBe(0);
});

test("connections that fall silent: each in the middle of something, and nobody is told", async () => {
  const service = await rig.start({ ...through(), ...IMPATIENT });
  const stop = load.keepPublishing();
  for (let round = 0; round < 4; round++) {
    await load.progress(3);
    proxy.meetOnce({ kind: "stall" });
  }
  await load.progress(3);
  await stop();
  await load.expectAllOnce();
  expect(await metric(service, FAILURES)).toBeGreaterThan(0);
  await rig.stop();
  await expectNothingOpen();
});

test("one that has lost the network loses its partitions to another one, and comes back", async () => {
  await rig.start({ "lease-ms": "2000" });
  const away = await rig.start({ ...through(), ...IMPATIENT });
  await settled(rig, [2, 2]);
  const stop = load.keepPublishing();
  await load.progress(3);
  const silence = setInterval(() => proxy.meetOnce({ kind: "stall" }), 20);
  await settled(rig, [4]);
  await load.progress(3);
  clearInterval(silence);
  await settled(rig, [2, 2]);
  await load.progress(3);
  await stop();
  await load.expectAllOnce();
  expect(await metric(away, "footfall_aggregator_leases_lost_total")).toBeGreaterThanOrEqual(2);
  await rig.stop();
  await expectNothingOpen();
});

test("a backlog in front of a database that hangs is not taken into memory", async () => {
  // 2 partitions with 24 MiB each, of which it may hold as much as the largest message of the server.
  const settings = {
    ...through(),
    "fetch-max-bytes": String(MIB),
    "lease-ms": "600000",
    "lease-renew-ms": "1000",
  };
  const big = batchFor(0, 20_000);
  expect(big.bytes.length).toBeGreaterThan(200_000);
  const service = await rig.startProcess({ ...settings, "heartbeat-ms": "60000" });
  await settled(rig, [4]);
  const before = await processMetric(service, "process_resident_memory_bytes");
  const silence = setInterval(() => proxy.meetOnce({ kind: "stall" }), 20);
  const count = Math.ceil((24 * MIB) / big.bytes.length);
  const fetched = rig.nc.info!.max_payload;
  expect(fetched).toBeLessThanOrEqual(8 * MIB);
  for (let i = 0; i < count; i++)
    for (const p of [0, 1]) await rig.publisher.publish(p, crypto.randomUUID(), big.bytes);
  const { consumers } = await jetstreamManager(rig.nc);
  for (let i = 0; i < 20; i++) {
    for (const p of [0, 1]) {
      const { num_ack_pending } = await consumers.info(eventsStream(p), CONSUMER);
      // What is fetched ahead, the client's refill of a quarter of it, and a few batches that the steps have in hand:
      // at most half of the backlog, however long the database hangs.
      expect(num_ack_pending * big.bytes.length).toBeLessThanOrEqual(1.5 * fetched);
    }
    await sleep(100);
  }
  expect((await processMetric(service, "process_resident_memory_bytes")) - before).toBeLessThan(100 * MIB);
  clearInterval(silence);
  // It has nothing to finish, and would wait for the database.
  process.kill(service.pid, "SIGKILL");
});
