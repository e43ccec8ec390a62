import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BatchRejectReason } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import type { RejectedList } from "../../internal/replay/list.ts";
import type { RedriveResult } from "../../internal/replay/redrive.ts";
import type { RejectedDetails } from "../../internal/replay/show.ts";
import type { NatsConnection } from "../../internal/stream/connect.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { eventsStream, REJECTED_STREAM } from "../../internal/stream/streams.ts";
import { merchantsOf, type TestBatch, type TestEvent, testBatch } from "../../internal/testkit/batches.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../../internal/testkit/nats.ts";
import { BAD_BATCHES } from "../ingest/testing/bad-batches.ts";
import { MAX_BATCH_BYTES } from "../ingest/testing/rig.ts";
import { command, purgeRejected } from "./testing/rig.ts";

const PARTITIONS = 4;
const TIME = Date.UTC(2026, 2, 1);

let nats: TestNats;
let nc: NatsConnection;
let publisher: BatchPublisher;

beforeAll(async () => {
  nats = await openTestNats();
  nc = await nats.connect();
  publisher = new BatchPublisher(nc, 2_000);
  await ensureTestStreams(nc, PARTITIONS);
});
beforeEach(() => purgeRejected(nc));
afterAll(() => nats?.close());

const run = <T>(name: string, ...flags: string[]) =>
  command<T>({ nc, partitions: PARTITIONS }, name, ...flags);
const info = async (stream: string) => (await (await jetstreamManager(nc)).streams.info(stream)).state;

function batchOf(partition: number, ...events: Partial<TestEvent>[]): TestBatch {
  const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
  return testBatch(
    events.map((event) => ({ merchantId, time: TIME, ...event })),
    { partition },
  );
}

/** Puts a batch into the stream of refused ones; @returns its sequence there. */
async function reject(
  partition: number | undefined,
  reason: string,
  bytes: Uint8Array,
  origin?: Parameters<BatchPublisher["reject"]>[4],
): Promise<number> {
  await publisher.reject(partition, reason, `because of ${reason}`, bytes, origin);
  return (await info(REJECTED_STREAM)).last_seq;
}

describe("filters", () => {
  const [m0] = merchantsOf(0, PARTITIONS, 1) as [number];
  const [m1, other1] = merchantsOf(1, PARTITIONS, 2) as [number, number];

  /** Five refused batches, 10 ms and more apart, with their sequences and the time before each. */
  async function five() {
    const seqs: number[] = [];
    const before: string[] = [];
    const batches: [number | undefined, string, Uint8Array][] = [
      [0, "PROCESSING_FAILED", batchOf(0, {}, {}).bytes],
      [1, "PROCESSING_FAILED", batchOf(1, {}, {}, {}, { merchantId: other1 }).bytes],
      [0, "CHECKSUM", batchOf(0, {}).bytes.subarray(0, -5)],
      [undefined, "MALFORMED", Buffer.from("no batch")],
      [1, "VALUE_RANGE", batchOf(1, {}).bytes],
    ];
    for (const batch of batches) {
      await sleep(10);
      before.push(new Date().toISOString());
      await sleep(10);
      seqs.push(await reject(...batch));
    }
    return { seqs, before };
  }

  /** Flags, made from the sequences and times, and which of the five they mean. */
  const FILTERS: [string, (five: { seqs: number[]; before: string[] }) => string[], number[]][] = [
    ["none", () => [], [0, 1, 2, 3, 4]],
    ["reason", () => ["--reason", "PROCESSING_FAILED"], [0, 1]],
    ["two reasons", () => ["--reason", "CHECKSUM,MALFORMED"], [2, 3]],
    ["merchant", () => ["--merchant", String(m0)], [0]],
    ["another merchant of a batch", () => ["--merchant", String(other1)], [1]],
    ["from", ({ before }) => ["--from", before[2]!], [2, 3, 4]],
    ["to", ({ before }) => ["--to", before[2]!], [0, 1]],
    ["from and to", ({ before }) => ["--from", before[1]!, "--to", before[3]!], [1, 2]],
    ["days that hold none", () => ["--from", "2020-01-01", "--to", "2020-01-02"], []],
    ["partition", () => ["--partition", "1"], [1, 4]],
    ["partition 0, which is not none", () => ["--partition", "0"], [0, 2]],
    ["sequence", ({ seqs }) => ["--seq", String(seqs[3])], [3]],
    ["sequences", ({ seqs }) => ["--seq", `${seqs[0]},${seqs[2]}-${seqs[3]}`], [0, 2, 3]],
    ["a sequence that is gone", ({ seqs }) => ["--seq", String(seqs[0]! - 1)], []],
    [
      "all of them",
      ({ before }) => ["--reason", "VALUE_RANGE", "--merchant", String(m1), "--from", before[0]!],
      [4],
    ],
    ["all of them, where one says no", () => ["--reason", "VALUE_RANGE", "--merchant", String(m0)], []],
  ];

  test("each means what it says, for list and for the dry run", async () => {
    const all = await five();
    /** Events of each batch, and whether it can be read. */
    const events = [2, 4, 0, 0, 1];
    const whole = [true, true, false, false, true];
    for (const [name, flags, meant] of FILTERS) {
      const list = await run<RejectedList>("rejected list", ...flags(all));
      const seqs = list.newest.map(({ seq }) => seq).sort((a, b) => a - b);
      expect(seqs, name).toEqual(meant.map((at) => all.seqs[at]));
      const dry = await run<RedriveResult>("rejected redrive", "--dry-run", ...flags(all));
      const good = meant.filter((at) => whole[at]);
      expect(dry, name).toMatchObject({
        dryRun: true,
        redriven: { batches: good.length, events: good.reduce((sum, at) => sum + events[at]!, 0) },
        stopped: undefined,
      });
      expect(dry.notRedriven, name).toHaveLength(meant.length - good.length);
    }
    // A dry run changes nothing.
    expect((await info(REJECTED_STREAM)).messages).toBe(5);
    expect((await info(eventsStream(1))).messages).toBe(0);
  });

  test("list counts by reason, merchant and hour, and says what could be redriven", async () => {
    const { seqs, before } = await five();
    const list = await run<RejectedList>("rejected list", "--limit", "2");
    expect(list.total).toMatchObject({ batches: 5 });
    expect(list.redrivable).toEqual({ batches: 3, events: 7 });
    expect(list.byReason.map(({ reason, batches }) => [reason, batches])).toEqual([
      ["CHECKSUM", 1],
      ["MALFORMED", 1],
      ["PROCESSING_FAILED", 2],
      ["VALUE_RANGE", 1],
    ]);
    const merchants = [
      { merchantId: m0, batches: 1, events: 2 },
      { merchantId: m1, batches: 2, events: 4 },
      { merchantId: other1, batches: 1, events: 1 },
    ].sort((a, b) => a.merchantId - b.merchantId);
    expect(list.byMerchant).toEqual(merchants);
    expect(list.byHour.reduce((sum, { batches }) => sum + batches, 0)).toBe(5);
    expect(list.byHour[0]!.hour).toBe(`${before[0]!.slice(0, 13)}:00:00.000Z`);
    expect(list.newest.map(({ seq, check }) => [seq, check])).toEqual([
      [seqs[4], "ok"],
      [seqs[3], "MALFORMED"],
    ]);
  });
});

describe("every reason", () => {
  test.each(BAD_BATCHES)("%s stays, and is said to be refused still", async (_, reason, message, make) => {
    const made = make();
    const bytes = (made instanceof Uint8Array ? made : made.bytes).subarray(0, MAX_BATCH_BYTES);
    const name = BatchRejectReason[reason];
    const seq = await reject(undefined, name, bytes);
    const details = await run<RejectedDetails>("rejected show", "--seq", String(seq));
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
    const result = await run<RedriveResult>("rejected redrive", "--reason", name);
    expect(result.redriven).toEqual({ batches: 0, events: 0 });
    expect(result.notRedriven).toEqual([
      { seq, batchId: details.envelope?.batchId, reason: name, message: details.check.message },
    ]);
    expect((await info(REJECTED_STREAM)).messages).toBe(1);
  });

  test("there is a test for each, but for the one of batches that pass the check", () => {
    const reasons = Object.keys(BatchRejectReason).filter((name) => !/^\d|^UNSPECIFIED$/.test(name));
    const tested = new Set(BAD_BATCHES.map(([, reason]) => BatchRejectReason[reason]));
    expect(reasons.filter((name) => !tested.has(name))).toEqual(["PROCESSING_FAILED"]);
  });

  test("a batch refused by a check that it passes now goes to its own partition", async () => {
    const before = (await info(eventsStream(3))).messages;
    const batch = batchOf(3, {}, {});
    await reject(undefined, "VERSION", batch.bytes);
    const result = await run<RedriveResult>("rejected redrive");
    expect(result).toEqual({
      dryRun: false,
      redriven: { batches: 1, events: 2 },
      notRedriven: [],
      stopped: undefined,
    });
    const { messages, last_seq } = await info(eventsStream(3));
    expect(messages).toBe(before + 1);
    const stored = await (await jetstreamManager(nc)).streams.getMessage(eventsStream(3), { seq: last_seq });
    expect(Buffer.from(stored!.data).equals(batch.bytes)).toBe(true);
    expect((await info(REJECTED_STREAM)).messages).toBe(0);
  });
});

describe("show", () => {
  test("headers, envelope and events, each with all that it has", async () => {
    const order = { id: "o-1", revenueMicros: 5_000_000n, currency: "EUR" };
    const items = [{ id: "sku", name: "Lamp", priceMicros: 5_000_000n, quantity: 1 }];
    const batch = batchOf(
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
    expect(await run("rejected show", "--seq", String(seq), "--limit", "2")).toEqual({
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
          order: expect.objectContaining({ id: "o-1", revenueMicros: 5_000_000, currency: "EUR" }),
          items: [{ id: "sku", name: "Lamp", priceMicros: 5_000_000, quantity: 1 }],
        },
      ],
    });
  });

  test("of a batch that fails the check, the events as far as they can be read", async () => {
    const [merchantId] = merchantsOf(2, PARTITIONS, 1) as [number];
    const spoil = ({ url }: { url: Uint8Array }) => url.fill(77, 0, 1);
    const event = { merchantId, time: TIME, url: "https://shop.example/" };
    const seq = await reject(2, "INDEX", testBatch([event, event], { partition: 2, spoil }).bytes);
    const { events } = await run<RejectedDetails>("rejected show", "--seq", String(seq));
    expect(events).toMatchObject([
      { merchantId, name: "page_view", unreadable: expect.stringMatching(/^url: index 77 of \d+ texts$/) },
      { merchantId, name: "page_view", url: "https://shop.example/" },
    ]);
    expect(events![0]).not.toHaveProperty("url");
  });

  test.each([
    ["no sequence", [], /--seq must name one batch/],
    ["several", ["--seq", "1-3"], /--seq must name one batch/],
    ["one that is not there", ["--seq", "999999"], /has no sequence 999999/],
  ])("%s is refused", async (_, flags, message) => {
    await expect(run("rejected show", ...flags)).rejects.toThrow(message);
  });
});

describe("redrive", () => {
  test("JetStream's memory of the batch's id does not swallow it, and a second redrive finds nothing", async () => {
    const batch = batchOf(0, {});
    const first = await publisher.publish(0, batch.id, batch.bytes);
    await reject(0, "PROCESSING_FAILED", batch.bytes);
    expect((await run<RedriveResult>("rejected redrive")).redriven).toEqual({ batches: 1, events: 1 });
    expect((await info(eventsStream(0))).last_seq).toBe(first + 1);
    expect((await run<RedriveResult>("rejected redrive")).redriven).toEqual({ batches: 0, events: 0 });
    expect((await info(eventsStream(0))).last_seq).toBe(first + 1);
  });

  test("ended between JetStream's ack and the removal, it is done again without a second copy", async () => {
    const batch = batchOf(0, {});
    const seq = await reject(0, "PROCESSING_FAILED", batch.bytes);
    // What the redrive that was ended has published.
    const published = await publisher.publish(0, `redrive:${batch.id}:${seq}`, batch.bytes);
    expect((await run<RedriveResult>("rejected redrive")).redriven).toEqual({ batches: 1, events: 1 });
    expect((await info(eventsStream(0))).last_seq).toBe(published);
    expect((await info(REJECTED_STREAM)).messages).toBe(0);
  });

  test("a stream that takes no more stops it: what was not sent stays refused", async () => {
    const batches = [batchOf(0, {}), batchOf(1, {}), batchOf(0, {})];
    const seqs = [];
    for (const { sealed, bytes } of batches) {
      seqs.push(await reject(sealed.partition, "PROCESSING_FAILED", bytes));
    }
    const { streams } = await jetstreamManager(nc);
    const { max_bytes } = (await streams.info(eventsStream(1))).config;
    await streams.update(eventsStream(1), { max_bytes: 1 });
    try {
      expect(await run<RedriveResult>("rejected redrive")).toEqual({
        dryRun: false,
        redriven: { batches: 1, events: 1 },
        notRedriven: [],
        stopped: expect.stringMatching(new RegExp(`^seq ${seqs[1]}: JetStream: .*maximum bytes`)),
      });
    } finally {
      await streams.update(eventsStream(1), { max_bytes });
    }
    expect((await info(REJECTED_STREAM)).messages).toBe(2);
    expect((await run<RedriveResult>("rejected redrive")).redriven.batches).toBe(2);
  });

  test("a signal ends it behind the batch in hand, and the rest stays", async () => {
    for (let i = 0; i < 3; i++) await reject(0, "PROCESSING_FAILED", batchOf(0, {}).bytes);
    const stopped = AbortSignal.abort();
    const place = { nc, partitions: PARTITIONS, signal: stopped };
    expect(await command(place, "rejected redrive")).toMatchObject({
      redriven: { batches: 0, events: 0 },
      stopped: "a signal came",
    });
    expect((await info(REJECTED_STREAM)).messages).toBe(3);
  });
});
