import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../../test/kit/nats.ts";
import { Failure } from "../failure/failure.ts";
import type { NatsConnection } from "./connect.ts";
import { BatchPublisher, MAX_HEADER_BYTES } from "./publisher.ts";
import { DEAD_LETTER_STREAM, eventsStream, streamEnd } from "./streams.ts";

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
    const names = [...[0, 1, 2].map(eventsStream), DEAD_LETTER_STREAM];
    const before = await Promise.all(names.map(stream));
    expect(before.map(({ config }) => config.subjects)).toEqual([
      ["events.0"],
      ["events.1"],
      ["events.2"],
      ["dead_letter.>"],
    ]);
    // Again, by two programs at once: what exists is not touched.
    await Promise.all([ensureTestStreams(nc, PARTITIONS), ensureTestStreams(nc, PARTITIONS)]);
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

describe("reject", () => {
  test("keeps the bytes under the partition, with the reason and the message as headers", async () => {
    await publisher.reject(2, "VALUE_RANGE", "time: 1e300 ms", Buffer.from([0, 1, 255]));
    const message = await stored(DEAD_LETTER_STREAM, (await stream(DEAD_LETTER_STREAM)).state.last_seq);
    expect(message.subject).toBe("dead_letter.2");
    expect([...message.data]).toEqual([0, 1, 255]);
    expect(message.header.get("Footfall-Reason")).toBe("VALUE_RANGE");
    expect(message.header.get("Footfall-Message")).toBe("time: 1e300 ms");
  });

  test("a message that is no header line becomes one", async () => {
    const text = `über\r\nFootfall-Reason: FORGED\0${"x".repeat(5_000)}`;
    await publisher.reject(undefined, "MALFORMED", text, new Uint8Array(0));
    const message = await stored(DEAD_LETTER_STREAM, (await stream(DEAD_LETTER_STREAM)).state.last_seq);
    expect(message.subject).toBe("dead_letter.none");
    expect(message.header.values("Footfall-Reason")).toEqual(["MALFORMED"]);
    const expected = `?ber??Footfall-Reason: FORGED?${"x".repeat(5_000)}`.slice(0, 1_024);
    expect(message.header.get("Footfall-Message")).toBe(expected);
  });
});

describe("reject of a batch that came from a stream", () => {
  const origin = {
    stream: "EVENTS_1",
    sequence: 17,
    batchId: "b-1",
    stack: "Error: no\n    at step (a.ts:1)\n",
  };

  test("says where it stood and where the code did, in one line each", async () => {
    await publisher.reject(1, "PROCESSING_FAILED", "Error: no", Buffer.from("x"), origin);
    const { header } = await stored(DEAD_LETTER_STREAM, (await stream(DEAD_LETTER_STREAM)).state.last_seq);
    expect(header.get("Footfall-Stream")).toBe("EVENTS_1");
    expect(header.get("Footfall-Sequence")).toBe("17");
    expect(header.get("Footfall-Batch-Id")).toBe("b-1");
    expect(header.get("Footfall-Stack")).toBe("Error: no | at step (a.ts:1)");
  });

  test("done again after a crash, it is kept once", async () => {
    const { last_seq } = (await stream(DEAD_LETTER_STREAM)).state;
    await publisher.reject(1, "PROCESSING_FAILED", "Error: no", Buffer.from("x"), origin);
    expect((await stream(DEAD_LETTER_STREAM)).state.last_seq).toBe(last_seq);
    await publisher.reject(1, "PROCESSING_FAILED", "again", Buffer.from("x"), { ...origin, sequence: 18 });
    expect((await stream(DEAD_LETTER_STREAM)).state.last_seq).toBe(last_seq + 1);
  });

  test("whatever the texts, the headers stay below what is left of max_payload for them", async () => {
    const long = "ü\r\n".repeat(20_000);
    const huge = { stream: "EVENTS_4095", sequence: Number.MAX_SAFE_INTEGER, batchId: long, stack: long };
    // The largest batch that ingest takes.
    const bytes = Buffer.alloc(nc.info!.max_payload - MAX_HEADER_BYTES);
    await publisher.reject(1, long, long, bytes, huge);
    const kept = await stored(DEAD_LETTER_STREAM, (await stream(DEAD_LETTER_STREAM)).state.last_seq);
    expect(kept.data.length).toBe(bytes.length);
    expect(kept.header.get("Footfall-Stack").length).toBeGreaterThan(4_000);
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
