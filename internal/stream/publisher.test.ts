import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { waitFor } from "../testkit/installation-wait.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../testkit/nats.ts";
import type { NatsConnection } from "./connect.ts";
import { BatchPublisher } from "./publisher.ts";
import { ensureStreams, eventsStream, REJECTED_STREAM, streamEnd } from "./streams.ts";

const PARTITIONS = 3;
const KIB = 1 << 10;

let nats: TestNats;
let nc: NatsConnection;
let publisher: BatchPublisher;

beforeAll(async () => {
  nats = await openTestNats();
  nc = await nats.connect();
  publisher = new BatchPublisher(nc, 1_000);
  await ensureTestStreams(nc, PARTITIONS);
});

afterAll(() => nats?.close());

const stream = async (name: string) => (await jetstreamManager(nc)).streams.info(name);

/** The stored message of a sequence. */
async function stored(name: string, seq: number) {
  const message = await (await jetstreamManager(nc)).streams.getMessage(name, { seq });
  return message!;
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

describe("ensureStreams", () => {
  test("makes one stream a partition and one for refused batches, and keeps what is there", async () => {
    await publisher.publish(0, "kept", Buffer.from("kept"));
    const names = [...[0, 1, 2].map(eventsStream), REJECTED_STREAM];
    const before = await Promise.all(names.map(stream));
    expect(before.map(({ config }) => config.subjects)).toEqual([
      ["events.0"],
      ["events.1"],
      ["events.2"],
      ["rejected.>"],
    ]);
    // Again, by two programs at once, with other limits: what exists is not touched.
    const limits = { replicas: 1, maxAgeMs: 60_000, maxBytes: 1 << 20 };
    await Promise.all([ensureTestStreams(nc, PARTITIONS), ensureStreams(nc, PARTITIONS, limits)]);
    const after = await Promise.all(names.map(stream));
    expect(after.map(({ config }) => config)).toEqual(before.map(({ config }) => config));
    expect(after[0]!.state.messages).toBe(1);
  });

  test("two programs at once may both find the streams missing", async () => {
    await Promise.all([ensureTestStreams(nc, PARTITIONS + 1), ensureTestStreams(nc, PARTITIONS + 1)]);
    expect((await stream(eventsStream(PARTITIONS))).state.messages).toBe(0);
  });
});

describe("publish", () => {
  test("acks with the sequence in the partition's own stream, the bytes unchanged", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    expect(await publisher.publish(1, "a", bytes)).toBe(1);
    expect(await publisher.publish(2, "b", bytes)).toBe(1);
    expect(await publisher.publish(1, "c", bytes)).toBe(2);
    expect((await streamEnd(nc, 1)).lastSeq).toBe(2);
    expect(Uint8Array.from((await stored(eventsStream(1), 2)).data)).toEqual(bytes);
  });

  test("a batch of the same id is stored once, and acked with the first one's sequence", async () => {
    const first = await publisher.publish(1, "twice", Buffer.from("1"));
    expect(await publisher.publish(1, "twice", Buffer.from("1"))).toBe(first);
    expect((await streamEnd(nc, 1)).lastSeq).toBe(first);
  });

  test("many at once are all stored", async () => {
    const before = (await streamEnd(nc, 2)).lastSeq;
    const ids = Array.from({ length: 200 }, (_, at) => `many-${at}`);
    const seqs = await Promise.all(ids.map((id) => publisher.publish(2, id, Buffer.alloc(4 * KIB))));
    expect(seqs.toSorted((a, b) => a - b)).toEqual(ids.map((_, at) => before + at + 1));
  });

  test("without a stream it is unavailable", async () => {
    const failure = await failureOf(publisher.publish(77, "x", Buffer.from("x")));
    expect(failure).toMatchObject({ kind: "unavailable", retryAfterMs: 250 });
  });
});

describe("a full stream", () => {
  const limits = { replicas: 1, maxAgeMs: 60_000, maxBytes: 64 * KIB };
  const quarter = Buffer.alloc(16 * KIB);

  test("of events refuses new batches and keeps the old ones", async () => {
    const p = PARTITIONS + 1;
    await ensureStreams(nc, p + 1, limits);
    const failures: Failure[] = [];
    while (failures.length === 0) {
      await publisher
        .publish(p, crypto.randomUUID(), quarter)
        .catch((error: Failure) => failures.push(error));
    }
    expect(failures[0]).toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/maximum bytes/),
    });
    expect((await stream(eventsStream(p))).state).toMatchObject({ first_seq: 1, messages: 3 });
  });

  test("of refused batches drops the oldest: they must not stand in the way of good ones", async () => {
    const jsm = await jetstreamManager(nc);
    await jsm.streams.delete(REJECTED_STREAM);
    await ensureStreams(nc, PARTITIONS, limits);
    for (let i = 0; i < 6; i++) await publisher.reject(0, "CHECKSUM", `${i}`, quarter);
    const { state } = await stream(REJECTED_STREAM);
    expect(state.last_seq).toBe(6);
    expect(state.first_seq).toBeGreaterThan(1);
    await jsm.streams.delete(REJECTED_STREAM);
    await ensureTestStreams(nc, PARTITIONS);
  });
});

describe("reject", () => {
  test("keeps the bytes under the partition, with the reason and the message as headers", async () => {
    await publisher.reject(2, "VALUE_RANGE", "time: 1e300 ms", Buffer.from([0, 1, 255]));
    const message = await stored(REJECTED_STREAM, (await stream(REJECTED_STREAM)).state.last_seq);
    expect(message.subject).toBe("rejected.2");
    expect([...message.data]).toEqual([0, 1, 255]);
    expect(message.header.get("Footfall-Reason")).toBe("VALUE_RANGE");
    expect(message.header.get("Footfall-Message")).toBe("time: 1e300 ms");
  });

  test("a message that is no header line becomes one", async () => {
    const text = `über\r\nFootfall-Reason: FORGED\0${"x".repeat(5_000)}`;
    await publisher.reject(undefined, "MALFORMED", text, new Uint8Array(0));
    const message = await stored(REJECTED_STREAM, (await stream(REJECTED_STREAM)).state.last_seq);
    expect(message.subject).toBe("rejected.none");
    expect(message.header.values("Footfall-Reason")).toEqual(["MALFORMED"]);
    const expected = `?ber??Footfall-Reason: FORGED?${"x".repeat(5_000)}`.slice(0, 1_024);
    expect(message.header.get("Footfall-Message")).toBe(expected);
  });
});

describe("nats-server killed", () => {
  test("what cannot be acked is unavailable; after the restart all works, and acked batches are there", async () => {
    const before = await publisher.publish(0, "before", Buffer.from("before"));
    const running = Array.from({ length: 50 }, (_, at) =>
      publisher.publish(0, `running-${at}`, Buffer.alloc(64 * KIB)).then(
        (seq) => ({ at, seq }),
        (error: Failure) => error.kind,
      ),
    );
    await nats.kill();
    expect(await failureOf(publisher.publish(0, "away", Buffer.from("away")))).toMatchObject({
      kind: "unavailable",
      retryAfterMs: 250,
    });
    const acked = (await Promise.all(running)).filter((outcome) => typeof outcome === "object");
    await nats.start();
    await waitFor("JetStream", () => publisher.publish(0, "away", Buffer.from("away")));
    expect(Buffer.from((await stored(eventsStream(0), before)).data).toString()).toBe("before");
    for (const { at, seq } of acked) {
      expect((await stored(eventsStream(0), seq)).header.get("Nats-Msg-Id")).toBe(`running-${at}`);
    }
    // What was not acked may be sent again: the same id is stored once.
    const again = await publisher.publish(0, "running-49", Buffer.alloc(64 * KIB));
    expect(await publisher.publish(0, "running-49", Buffer.alloc(64 * KIB))).toBe(again);
  });
});
