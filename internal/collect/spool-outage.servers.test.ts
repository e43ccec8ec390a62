import { DatabaseSync } from "node:sqlite";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LineProxy } from "../../test/kit/line-proxy.ts";
import { NO_FAULT } from "../../test/kit/network-fault.ts";
import { temporaryDirectory } from "../embedded/temporary.ts";
import { partitionOf } from "../event/partition.ts";
import { Failure } from "../failure/failure.ts";
import { EventStatus } from "../gen/footfall/collect/v1/collect_pb.js";
import { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import { Batcher } from "./batcher.ts";
import { addEvent } from "./testing/add-event.ts";
import { type CollectClient, type Rig, type RigOptions, type RigSpool, startRig } from "./testing/rig.ts";

const { ACCEPTED, DUPLICATE } = EventStatus;

/** Longer than any test waits: an answer that comes is not due to the deliver timeout. */
const NO_TIMEOUT = 600_000;

let rig: Rig;
let client: CollectClient;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  directory = await temporaryDirectory("outage");
});
afterEach(async () => {
  await rig?.close();
  await directory.remove();
});

type Options = Omit<RigOptions, "spool"> & { spool?: Partial<RigSpool> };

/** A rig whose collector knows the write key already. */
async function startWarm({ spool, ...options }: Options = {}): Promise<void> {
  rig = await startRig({
    deliverTimeoutMs: NO_TIMEOUT,
    spool: { dir: directory.path, ...spool },
    ...options,
  });
  client = rig.grpc();
  await client.send({ events: [{ name: "warm" }] });
  await vi.waitFor(() => expect(rig.spool!.totals.batches).toBe(0));
  rig.publisher.arrived.length = 0;
  rig.publisher.stored.length = 0;
}

const events = (...ids: string[]) => ids.map((eventId) => ({ name: eventId, eventId }));
const send = async (...ids: string[]) => (await client.send({ events: events(...ids) })).statuses;
const spooled = () => rig.spool!.totals.batches;
const until = (what: () => void) => vi.waitFor(what, { timeout: 30_000, interval: 20 });
const drained = () => until(() => expect(spooled()).toBe(0));

async function failure(...ids: string[]) {
  const error: unknown = await send(...ids).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ConnectError);
  const { code, rawMessage, metadata } = error as ConnectError;
  return { code, message: rawMessage, retryAfter: metadata.get("retry-after-ms") };
}

/** A counter's value, over all its labels. */
async function metric(name: string): Promise<number> {
  const values = (await rig.registry.getSingleMetric(`footfall_collector_spool_${name}`)!.get()).values;
  return values.reduce((sum, { value }) => sum + value, 0);
}

/** Puts batches of one event each into the spool. @returns the names of their events. */
async function fillSpool(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `spooled ${index}`);
  const written: Promise<number>[] = [];
  const options = { collectorId: "edge", codec: Codec.NONE, maxRows: 1, maxBytes: 1 << 20, maxAgeMs: 0 };
  const batcher = new Batcher({ ...options, maxPendingBytes: 1 << 30 }, (batch) => {
    written.push(rig.spool!.write(batch));
  });
  for (const name of names) addEvent(batcher, name);
  for (const position of await Promise.all(written)) rig.spool!.giveBack(position);
  return names;
}

/** Ingest goes away, and the collector knows. */
async function loseIngest(): Promise<void> {
  rig.ingest.kill();
  await until(() => expect(rig.linkStates.at(-1)).toMatch(/^ingest: /));
}

test("ingest away: events are accepted once they are on disk, and arrive in order when it is back", async () => {
  await startWarm();
  await loseIngest();
  const names = Array.from({ length: 20 }, (_, index) => `event ${index}`);
  for (const name of names) expect(await send(name)).toEqual([ACCEPTED]);
  expect(await send("event 3")).toEqual([DUPLICATE]);
  expect(spooled()).toBe(20);
  expect(rig.problems.at(-1)).toBeUndefined();
  await rig.ingest.start();
  await drained();
  expect(rig.publisher.names()).toEqual(names);
  expect(rig.publisher.arrived).toHaveLength(20);
  expect(await send("event 3", "live")).toEqual([DUPLICATE, ACCEPTED]);
  expect([await metric("spooled_total"), await metric("drained_total")]).toEqual([20, 20]);
});

test("a collector that stops while ingest is away stops at once; the next one drains the same batches", async () => {
  await startWarm({ spool: { spoolAfterMs: 60_000 }, maxAgeMs: 30_000 });
  const never = new Promise<void>(() => {});
  rig.publisher.ack = () => never;
  const answer = send("a", "b");
  await until(() => expect(rig.publisher.arrived).toHaveLength(1));
  const { batchId } = rig.publisher.arrived[0]!;
  const started = performance.now();
  await rig.drain();
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(await answer).toEqual([ACCEPTED, ACCEPTED]);
  await rig.close();
  rig = await startRig({ spool: { dir: directory.path } });
  await drained();
  expect(rig.publisher.names()).toEqual(["a", "b"]);
  expect(rig.publisher.stored[0]!.batchId).toBe(batchId);
});

test("a collector that starts while ingest is away drains when it comes", async () => {
  await startWarm();
  await loseIngest();
  expect(await send("a")).toEqual([ACCEPTED]);
  await rig.close();
  rig = await startRig({ spool: { dir: directory.path } });
  await drained();
  expect(rig.publisher.names()).toEqual(["a"]);
});

test("a second collector on the same spool is refused", async () => {
  await startWarm();
  await expect(startRig({ spool: { dir: directory.path } })).rejects.toThrow(
    "is in use by another collector",
  );
});

test("ingest slow: a batch is spooled after the time that is set; its late answer empties the spool", async () => {
  await startWarm({ spool: { spoolAfterMs: 200 } });
  const release = rig.publisher.hold();
  const started = performance.now();
  expect(await send("a")).toEqual([ACCEPTED]);
  expect(performance.now() - started).toBeGreaterThanOrEqual(200);
  // From now on nobody waits for it.
  expect(await send("b")).toEqual([ACCEPTED]);
  expect(spooled()).toBe(2);
  release();
  await drained();
  expect(rig.publisher.names()).toEqual(["a", "b"]);
  expect(rig.publisher.arrived).toHaveLength(2);
  // Ingest has answered, so that it is waited for again.
  const releaseAgain = rig.publisher.hold();
  const again = performance.now();
  expect(await send("c")).toEqual([ACCEPTED]);
  expect(performance.now() - again).toBeGreaterThanOrEqual(200);
  releaseAgain();
  await drained();
});

test("a connection that stalls: events are acked from the spool, and arrive when it moves again", async () => {
  let proxy: LineProxy | undefined;
  const ingestAddress = async (port: number) => {
    proxy = await LineProxy.start(port);
    return `127.0.0.1:${proxy.port}`;
  };
  await startWarm({ ingestAddress, spool: { spoolAfterMs: 200 } });
  proxy!.meet({ kind: "stall" });
  const names = Array.from({ length: 50 }, (_, index) => `event ${index}`);
  for (const name of names) expect(await send(name)).toEqual([ACCEPTED]);
  expect(rig.publisher.arrived).toEqual([]);
  proxy!.meet(NO_FAULT);
  await drained();
  expect(rig.publisher.names().sort()).toEqual(names.toSorted());
  await rig.close();
  await proxy!.close();
});

test("JetStream away behind a good link: the spool takes over, and drains once ingest can store again", async () => {
  await startWarm({ spool: { spoolAfterMs: 100 } });
  rig.publisher.ack = () => {
    throw new Failure("unavailable", "JetStream: no responders");
  };
  for (const name of ["a", "b", "c"]) expect(await send(name)).toEqual([ACCEPTED]);
  await until(() => expect(rig.publisher.arrived.length).toBeGreaterThan(5));
  expect(spooled()).toBe(3);
  rig.publisher.ack = () => {};
  await drained();
  expect(rig.publisher.names().sort()).toEqual(["a", "b", "c"]);
  expect(new Set(rig.publisher.arrived.map(({ batchId }) => batchId)).size).toBe(3);
});

test("a full spool: RESOURCE_EXHAUSTED with retry-after, what was acked arrives, and events are taken again", async () => {
  await startWarm({ spool: { maxBytes: 2_000 } });
  await loseIngest();
  const accepted: string[] = [];
  let refused: Awaited<ReturnType<typeof failure>> | undefined;
  for (let i = 0; refused === undefined; i++) {
    const name = `${i} ${"x".repeat(20)}`;
    const statuses = await send(name).catch(() => undefined);
    if (statuses === undefined) refused = await failure(name);
    else accepted.push(name);
  }
  expect(refused).toMatchObject({ code: Code.ResourceExhausted, retryAfter: "1000" });
  expect(refused.message).toMatch(/^spool: is full, \d+ of 2000 bytes$/);
  expect(rig.spool!.totals.bytes).toBeLessThanOrEqual(2_000);
  expect(accepted.length).toBeGreaterThan(3);
  await until(() => expect(rig.problems.at(-1)).toMatch(/^ingest: .*; spool: is full/));
  expect(await metric("refused_total")).toBeGreaterThan(0);
  await rig.ingest.start();
  await drained();
  expect(rig.publisher.names()).toEqual(accepted);
  expect(await send("after")).toEqual([ACCEPTED]);
  await until(() => expect(rig.problems.at(-1)).toBeUndefined());
});

test("a disk without room: refused, to be retried; with ingest back events go past the spool", async () => {
  await startWarm({ spool: { minFreeBytes: Number.MAX_SAFE_INTEGER } });
  await loseIngest();
  expect((await failure("a")).code).toBe(Code.Unavailable);
  await until(async () => {
    const { code, message } = await failure("a");
    expect([code, message]).toEqual([
      Code.ResourceExhausted,
      expect.stringMatching(/^spool: \d+ bytes of the disk/),
    ]);
  });
  await rig.ingest.start();
  await until(() => expect(rig.linkStates.at(-1)).toBeUndefined());
  expect(await send("a")).toEqual([ACCEPTED]);
  expect(rig.publisher.names()).toEqual(["a"]);
});

test("a spool whose oldest batch is too old takes no other, and drops none", async () => {
  await startWarm({ spool: { maxAgeMs: 300 } });
  await loseIngest();
  expect(await send("a")).toEqual([ACCEPTED]);
  await until(() => expect(rig.spool!.refusal).toBeDefined());
  const { code, message } = await failure("b");
  expect([code, message]).toEqual([Code.ResourceExhausted, "spool: its oldest batch is older than 300 ms"]);
  await rig.ingest.start();
  await drained();
  expect(await send("b")).toEqual([ACCEPTED]);
  expect(rig.publisher.names()).toEqual(["a", "b"]);
});

test("a batch that is damaged on disk is kept apart, counted, and holds up no other", async () => {
  await startWarm();
  await loseIngest();
  for (const name of ["a", "b", "c"]) expect(await send(name)).toEqual([ACCEPTED]);
  await rig.close();
  const raw = new DatabaseSync(`${directory.path}/spool.db`);
  raw.exec("UPDATE batches SET bytes = zeroblob(length(bytes)) WHERE position = 2");
  raw.close();
  rig = await startRig({ spool: { dir: directory.path } });
  await drained();
  expect(rig.publisher.names()).toEqual(["a", "c"]);
  expect(rig.publisher.refused).toEqual([]);
  expect([await metric("damaged_total"), await metric("damaged_batches")]).toEqual([1, 1]);
});

test("a batch of the spool that ingest refuses for good leaves the spool: it is in DEAD_LETTER", async () => {
  await startWarm();
  await loseIngest();
  expect(await send("a")).toEqual([ACCEPTED]);
  // Merchant 1 is in partition 3 of 4; an ingest with a single partition refuses it.
  await rig.ingest.start(1);
  await drained();
  expect(rig.publisher.refused).toEqual([{ reason: "PARTITION", message: "partition: 3, there are 1" }]);
  expect([await metric("rejected_total"), await metric("drained_total")]).toEqual([1, 0]);
});

test("while a long spool drains, in order, live events are answered as quickly as ever", async () => {
  await startWarm();
  await loseIngest();
  const names = await fillSpool(1_000);
  // Each batch takes a while at ingest, so that the spool does as well.
  rig.publisher.ack = () => new Promise((resolve) => setTimeout(resolve, 25));
  await rig.ingest.start();
  await until(() => expect(rig.publisher.stored.length).toBeGreaterThan(0));
  const live: number[] = [];
  const lived: string[] = [];
  while (spooled() > 0) {
    const started = performance.now();
    const name = `live ${live.length}`;
    expect(await send(name)).toEqual([ACCEPTED]);
    live.push(performance.now() - started);
    lived.push(name);
  }
  expect(live.length).toBeGreaterThan(2);
  // Without the window a live batch would wait for all that was spooled.
  expect(live.toSorted((a, b) => a - b)[live.length >> 1]).toBeLessThan(400);
  const arrived = rig.publisher.names();
  expect(arrived.filter((name) => name.startsWith("spooled"))).toEqual(names);
  expect(arrived.filter((name) => name.startsWith("live"))).toEqual(lived);
});

test("ingest is told what the spool holds, by partition, and when it is empty again", async () => {
  await startWarm();
  await loseIngest();
  for (const name of ["a", "b", "c"]) expect(await send(name)).toEqual([ACCEPTED]);
  rig.ingest.spoolReports.length = 0;
  rig.publisher.ack = () => Promise.reject(new Failure("unavailable", "JetStream: maximum bytes exceeded"));
  await rig.ingest.start();
  await until(() => expect(rig.ingest.spoolReports.length).toBeGreaterThan(0));
  const [first] = rig.ingest.spoolReports;
  expect(first).toMatchObject({
    collectorId: "edge",
    heldBack: [{ partition: partitionOf(1, 4), events: 3 }],
  });
  expect(first!.heldBack[0]!.oldestAgeMs).toBeGreaterThan(0);
  rig.publisher.ack = () => Promise.resolve();
  await drained();
  await until(() => expect(rig.ingest.spoolReports.at(-1)!.heldBack).toEqual([]));
  expect(new Set(rig.ingest.spoolReports.map(({ spoolId }) => spoolId)).size).toBe(1);
});

test("a collector that starts with a full spool tells of it before it drains, one that stops leaves it known", async () => {
  await startWarm();
  await loseIngest();
  expect(await send("a")).toEqual([ACCEPTED]);
  await rig.close();
  rig = await startRig({ spool: { dir: directory.path } });
  await drained();
  expect(rig.ingest.spoolReports[0]).toMatchObject({ heldBack: [{ events: 1 }] });
});
