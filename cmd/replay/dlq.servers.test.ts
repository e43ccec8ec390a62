import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BatchRejectReason } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import type { RedriveResult } from "../../internal/replay/redrive.ts";
import type { DeadLetterDetails } from "../../internal/replay/show.ts";
import { DEAD_LETTER_STREAM, eventsStream } from "../../internal/stream/streams.ts";
import { merchantsOf, testBatch } from "../../test/kit/batches.ts";
import { BAD_BATCHES } from "../ingest/testing/bad-batches.ts";
import { MAX_BATCH_BYTES } from "../ingest/testing/rig.ts";
import { DeadLetters, PARTITIONS, partitionBatch, TIME } from "./testing/rig.ts";

let deadLetters: DeadLetters;

beforeAll(async () => {
  deadLetters = await DeadLetters.open();
});
beforeEach(() => deadLetters.purge());
afterAll(() => deadLetters?.close());

const run = <T>(name: string, ...flags: string[]) => deadLetters.run<T>(name, ...flags);
const info = (stream: string) => deadLetters.info(stream);
const reject: DeadLetters["reject"] = (...batch) => deadLetters.reject(...batch);

describe("every reason", () => {
  test.each(BAD_BATCHES)("%s stays, and is said to be refused still", async (_, reason, message, make) => {
    const made = make();
    const bytes = (made instanceof Uint8Array ? made : made.bytes).subarray(0, MAX_BATCH_BYTES);
    const name = BatchRejectReason[reason];
    const seq = await reject(undefined, name, bytes);
    const details = await run<DeadLetterDetails>("dlq show", "--seq", String(seq));
    expect(details).toMatchObject({
      seq,
      reason: name,
      check: { ok: false, reason: name },
      bytes: bytes.length,
    });
    // What ingest did not keep whole cannot be read at all.
    if (made instanceof Uint8Array || made.bytes.length === bytes.length) {
      expect(details.check.message).toMatch(message);
    }
    const result = await run<RedriveResult>("dlq redrive", "--reason", name);
    expect(result.redriven).toEqual({ batches: 0, events: 0 });
    expect(result.notRedriven).toEqual([
      { seq, batchId: details.envelope?.batchId, reason: name, message: details.check.message },
    ]);
    expect((await info(DEAD_LETTER_STREAM)).messages).toBe(1);
  });

  test("there is a test for each, but for the one of batches that pass the check", () => {
    const reasons = Object.keys(BatchRejectReason).filter((name) => !/^\d|^UNSPECIFIED$/.test(name));
    const tested = new Set(BAD_BATCHES.map(([, reason]) => BatchRejectReason[reason]));
    expect(reasons.filter((name) => !tested.has(name))).toEqual(["PROCESSING_FAILED"]);
  });

  test("a batch refused by a check that it passes now goes to its own partition", async () => {
    const before = (await info(eventsStream(3))).messages;
    const batch = partitionBatch(3, {}, {});
    await reject(undefined, "VERSION", batch.bytes);
    const result = await run<RedriveResult>("dlq redrive");
    expect(result).toEqual({
      dryRun: false,
      redriven: { batches: 1, events: 2 },
      notRedriven: [],
      stopped: undefined,
    });
    const { messages, last_seq } = await info(eventsStream(3));
    expect(messages).toBe(before + 1);
    const stored = await (await jetstreamManager(deadLetters.nc)).streams.getMessage(eventsStream(3), {
      seq: last_seq,
    });
    expect(Buffer.from(stored!.data).equals(batch.bytes)).toBe(true);
    expect((await info(DEAD_LETTER_STREAM)).messages).toBe(0);
  });
});

describe("show", () => {
  test("headers, envelope and events, each with all that it has", async () => {
    const order = { id: "o-1", revenueMicros: 5_000_000n, currency: "EUR" };
    const items = [{ id: "sku", name: "Lamp", priceMicros: 5_000_000n, quantityMicros: 1_000_000n }];
    const batch = partitionBatch(
      2,
      {
        visitorId: "v",
        url: "https://shop.example/ü",
        screen: { width: 800, height: 600 },
        properties: { plan: "a" },
      },
      { name: "purchase", order, items, eventId: "0197a0c0-0000-7000-8000-000000000001" },
      { name: "third" },
    );
    const origin = {
      stream: "EVENTS_2",
      sequence: 9,
      batchId: batch.id,
      stack: "Error: x\n  at f (a.ts:1:2)",
    };
    const seq = await reject(2, "PROCESSING_FAILED", batch.bytes, origin);
    const [merchantId] = merchantsOf(2, PARTITIONS, 1);
    const time = new Date(TIME).toISOString();
    expect(await run("dlq show", "--seq", String(seq), "--limit", "2")).toEqual({
      seq,
      time: expect.stringMatching(/^20.*Z$/),
      partition: 2,
      reason: "PROCESSING_FAILED",
      message: "because of PROCESSING_FAILED",
      stack: ["Error: x", "at f (a.ts:1:2)"],
      origin: { stream: "EVENTS_2", sequence: 9 },
      bytes: batch.bytes.length,
      check: { ok: true },
      envelope: {
        batchId: batch.id,
        collectorId: "test",
        partition: 2,
        rows: 3,
        codec: "ZSTD",
        closedTime: expect.stringMatching(/Z$/),
      },
      events: [
        {
          row: 0,
          merchantId,
          eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          receivedTime: time,
          clientTime: time,
          name: "page_view",
          visitorId: "v",
          url: "https://shop.example/ü",
          screenWidth: 800,
          screenHeight: 600,
          properties: { plan: "a" },
        },
        {
          row: 1,
          merchantId,
          eventId: "0197a0c0-0000-7000-8000-000000000001",
          receivedTime: time,
          clientTime: time,
          name: "purchase",
          order: expect.objectContaining({ id: "o-1", revenueMicros: "5000000", currency: "EUR" }),
          items: [{ id: "sku", name: "Lamp", priceMicros: "5000000", quantityMicros: "1000000" }],
        },
      ],
    });
  });

  test("of a batch that fails the check, the events as far as they can be read", async () => {
    const [merchantId] = merchantsOf(2, PARTITIONS, 1) as [number];
    const spoil = ({ url }: { url: Uint8Array }) => url.fill(77, 0, 1);
    const event = { merchantId, time: TIME, url: "https://shop.example/" };
    const seq = await reject(2, "INDEX", testBatch([event, event], { partition: 2, spoil }).bytes);
    const { events } = await run<DeadLetterDetails>("dlq show", "--seq", String(seq));
    expect(events).toMatchObject([
      { merchantId, name: "page_view", unreadable: expect.stringMatching(/^url: index 77 of \d+ texts$/) },
      { merchantId, name: "page_view", url: "https://shop.example/" },
    ]);
    expect(events![0]).not.toHaveProperty("url");
  });

  test.each([
    ["no sequence", [], /--seq is required/],
    ["several", ["--seq", "1-3"], /--seq: "1-3" is not a whole number/],
    ["one that is not there", ["--seq", "999999"], /has no sequence 999999/],
  ])("%s is refused", async (_, flags, message) => {
    await expect(run("dlq show", ...flags)).rejects.toThrow(message);
  });
});

describe("redrive", () => {
  test("JetStream's memory of the batch's id does not swallow it, and a second redrive finds nothing", async () => {
    const batch = partitionBatch(0, {});
    const first = await deadLetters.publisher.publish(0, batch.id, batch.bytes);
    await reject(0, "PROCESSING_FAILED", batch.bytes);
    expect((await run<RedriveResult>("dlq redrive")).redriven).toEqual({ batches: 1, events: 1 });
    expect((await info(eventsStream(0))).last_seq).toBe(first + 1);
    expect((await run<RedriveResult>("dlq redrive")).redriven).toEqual({ batches: 0, events: 0 });
    expect((await info(eventsStream(0))).last_seq).toBe(first + 1);
  });

  test("ended between JetStream's ack and the removal, it is done again without a second copy", async () => {
    const batch = partitionBatch(0, {});
    const seq = await reject(0, "PROCESSING_FAILED", batch.bytes);
    // What the redrive that was ended has published.
    const published = await deadLetters.publisher.publish(0, `redrive:${batch.id}:${seq}`, batch.bytes);
    expect((await run<RedriveResult>("dlq redrive")).redriven).toEqual({ batches: 1, events: 1 });
    expect((await info(eventsStream(0))).last_seq).toBe(published);
    expect((await info(DEAD_LETTER_STREAM)).messages).toBe(0);
  });

  test("a stream that takes no more stops it: what was not sent stays refused", async () => {
    const batches = [partitionBatch(0, {}), partitionBatch(1, {}), partitionBatch(0, {})];
    const seqs = [];
    for (const { sealed, bytes } of batches) {
      seqs.push(await reject(sealed.partition, "PROCESSING_FAILED", bytes));
    }
    const { streams } = await jetstreamManager(deadLetters.nc);
    const { max_bytes } = (await streams.info(eventsStream(1))).config;
    await streams.update(eventsStream(1), { max_bytes: 1 });
    try {
      expect(await run<RedriveResult>("dlq redrive")).toEqual({
        dryRun: false,
        redriven: { batches: 1, events: 1 },
        notRedriven: [],
        stopped: expect.stringMatching(new RegExp(`^seq ${seqs[1]}: JetStream: .*maximum bytes`)),
      });
    } finally {
      await streams.update(eventsStream(1), { max_bytes });
    }
    expect((await info(DEAD_LETTER_STREAM)).messages).toBe(2);
    expect((await run<RedriveResult>("dlq redrive")).redriven.batches).toBe(2);
  });

  test("a signal ends it behind the batch in hand, and the rest stays", async () => {
    for (let i = 0; i < 3; i++) await reject(0, "PROCESSING_FAILED", partitionBatch(0, {}).bytes);
    const stopped = AbortSignal.abort();
    expect(await deadLetters.runUntil(stopped, "dlq redrive")).toMatchObject({
      redriven: { batches: 0, events: 0 },
      stopped: "a signal came",
    });
    expect((await info(DEAD_LETTER_STREAM)).messages).toBe(3);
  });
});
