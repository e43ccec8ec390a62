import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, expect, test, vi } from "vitest";
import { eventIdBytes } from "../event/event-id.ts";
import { Failure } from "../failure/failure.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { addEvent } from "./testing/add-event.ts";
import { type Rig, type RigOptions, startRig } from "./testing/rig.ts";

const { ACCEPTED, DUPLICATE, REJECTED } = EventStatus;

let rig: Rig;
afterEach(() => rig?.close());

/** A rig whose collector knows the write key already: what follows is about batches. */
async function startWarm(options: RigOptions): Promise<void> {
  rig = await startRig(options);
  await rig.grpc().send({ events: [{ name: "warm" }] });
  rig.publisher.arrived.length = 0;
  rig.publisher.stored.length = 0;
}

const events = (...ids: string[]) => ids.map((eventId) => ({ name: eventId, eventId }));

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await call.catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

test("ingest away: UNAVAILABLE after the deliver timeout; back: the same events are accepted", async () => {
  await startWarm({ deliverTimeoutMs: 400 });
  rig.ingest.kill();
  const started = performance.now();
  const error = await failure(rig.grpc().send({ events: events("a", "b") }));
  expect(error.code).toBe(Code.Unavailable);
  expect(error.metadata.get("retry-after-ms")).toBe("500");
  expect(performance.now() - started).toBeGreaterThanOrEqual(400);
  expect(rig.linkStates.at(-1)).toMatch(/^ingest: /);
  await rig.ingest.start();
  await vi.waitFor(async () => {
    const answer = await rig.grpc().send({ events: events("a", "b") });
    expect(answer.statuses).toEqual([ACCEPTED, ACCEPTED]);
  }, 10_000);
  expect(rig.publisher.names()).toEqual(["a", "b"]);
});

test("a short outage is not seen by clients", async () => {
  await startWarm({});
  rig.ingest.kill();
  const answer = rig.grpc().send({ events: events("a") });
  await vi.waitFor(() => expect(rig.collector.batcher.pendingBytes).toBeGreaterThan(0));
  await rig.ingest.start();
  expect((await answer).statuses).toEqual([ACCEPTED]);
});

test("ingest away from the start: an unknown write key cannot be told from a good one, UNAVAILABLE", async () => {
  rig = await startRig();
  rig.ingest.kill();
  const error = await failure(rig.json().send({ events: events("a") }));
  expect([error.code, error.rawMessage]).toEqual([Code.Unavailable, "write key: cannot be looked up now"]);
});

test("ingest dies before it answers: the batch comes again with the same id, and counts once", async () => {
  await startWarm({});
  const never = new Promise<void>(() => {});
  rig.publisher.ack = () => never;
  const answers = ["ffw_one", "ffw_two"].map((key) =>
    rig.grpc(key as "ffw_one").send({ events: events("a") }),
  );
  await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(2));
  rig.ingest.kill();
  rig.publisher.ack = () => {};
  await rig.ingest.start();
  for (const answer of await Promise.all(answers)) expect(answer.statuses).toEqual([ACCEPTED]);
  const ids = rig.publisher.arrived.map(({ batchId }) => batchId);
  expect(ids).toHaveLength(4);
  expect(new Set(ids).size).toBe(2);
  const bytes = new Set(rig.publisher.arrived.map((batch) => Buffer.from(batch.bytes).toString("hex")));
  expect(bytes.size).toBe(2);
});

test("JetStream away: ingest says UNAVAILABLE, the batch is sent again until it is stored", async () => {
  await startWarm({});
  let tries = 0;
  rig.publisher.ack = () => {
    if (++tries < 3) throw new Failure("unavailable", "JetStream: no responders");
  };
  expect((await rig.grpc().send({ events: events("a") })).statuses).toEqual([ACCEPTED]);
  expect(new Set(rig.publisher.arrived.map(({ batchId }) => batchId)).size).toBe(1);
  expect(rig.publisher.arrived).toHaveLength(3);
});

test("a batch that ingest refuses: its events are rejected, and not remembered as sent", async () => {
  await startWarm({});
  rig.ingest.kill();
  // Merchant 1 is in partition 3 of 4; an ingest with a single partition refuses it.
  await rig.ingest.start(1);
  const { statuses, rejections } = await rig.grpc().send({ events: events("a") });
  expect(statuses).toEqual([REJECTED]);
  expect(rejections[0]).toMatchObject({
    reason: RejectReason.MALFORMED,
    message: "the event's batch was refused: PARTITION: partition: 3, there are 1",
  });
  expect(rig.publisher.refused).toEqual([{ reason: "PARTITION", message: "partition: 3, there are 1" }]);
  rig.ingest.kill();
  await rig.ingest.start();
  expect((await rig.grpc().send({ events: events("a") })).statuses).toEqual([ACCEPTED]);
});

test("too much on its way: RESOURCE_EXHAUSTED with retry-after-ms, and nothing of it is taken", async () => {
  await startWarm({ maxPendingBytes: 150, compression: "none" });
  const release = rig.publisher.hold();
  const first = rig.grpc().send({ events: events("a".repeat(64)) });
  await vi.waitFor(() => expect(rig.collector.batcher.pendingBytes).toBeGreaterThan(150));
  for (const form of ["grpc", "json"] as const) {
    const error = await failure(rig[form]().send({ events: events("b") }));
    expect([error.code, error.metadata.get("retry-after-ms")]).toEqual([Code.ResourceExhausted, "1000"]);
  }
  release();
  expect((await first).statuses).toEqual([ACCEPTED]);
  expect((await rig.grpc().send({ events: events("b") })).statuses).toEqual([ACCEPTED]);
  expect(rig.publisher.names()).toEqual(["a".repeat(64), "b"]);
});

test("a batch on its way makes a repeated event wait, and answers duplicate when it is stored", async () => {
  await startWarm({});
  const release = rig.publisher.hold();
  const first = rig.grpc().send({ events: events("a") });
  await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(1));
  const second = rig.grpc().send({ events: events("a") });
  release();
  expect((await first).statuses).toEqual([ACCEPTED]);
  expect((await second).statuses).toEqual([DUPLICATE]);
  expect(rig.publisher.arrived).toHaveLength(1);
});

test("what has left the recent window is accepted again: the aggregator will find it", async () => {
  await startWarm({ recentEvents: 4 });
  await rig.grpc().send({ events: events("a", "b", "c", "d", "e") });
  const { statuses } = await rig.grpc().send({ events: events("e", "a") });
  expect(statuses).toEqual([DUPLICATE, ACCEPTED]);
});

test("shutting down loses nothing: what was taken is stored and answered, then the port is closed", async () => {
  await startWarm({ maxAgeMs: 60_000 });
  const release = rig.publisher.hold();
  // The first is on its way; the others gather in an open batch that is far from its age.
  const answers = [rig.grpc().send({ events: events("a") })];
  await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(1));
  answers.push(rig.grpc().send({ events: events("b") }), rig.json().send({ events: events("c") }));
  const taken = (id: string) => rig.collector.recent.find(1, eventIdBytes(id));
  await vi.waitFor(() => expect([taken("b"), taken("c")]).not.toContain(undefined));
  const drained = rig.drain();
  release();
  for (const answer of await Promise.all(answers)) expect(answer.statuses).toEqual([ACCEPTED]);
  await drained;
  expect(rig.publisher.names().sort()).toEqual(["a", "b", "c"]);
  expect((await failure(rig.grpc().send({ events: events("d") }))).code).toBe(Code.Unavailable);
});

test("closing the collector sends what is in open batches, and waits for ingest's answer", async () => {
  await startWarm({ maxAgeMs: 60_000 });
  const release = rig.publisher.hold();
  const add = (name: string) => addEvent(rig.collector.batcher, name);
  const receipts = [add("a")];
  await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(1));
  receipts.push(add("b"));
  let closed = false;
  const closing = rig.collector.close().then(() => {
    closed = true;
  });
  await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(2));
  expect(closed).toBe(false);
  release();
  await closing;
  expect(receipts.map(({ outcome }) => outcome)).toEqual([{ stored: true }, { stored: true }]);
  expect(rig.publisher.names()).toEqual(["a", "b"]);
});
