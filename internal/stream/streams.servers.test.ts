import { jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { afterEach, describe, expect, test } from "vitest";
import { openTestNats, type TestNats } from "../../test/kit/nats.ts";
import type { NatsConnection } from "./connect.ts";
import { overviewStreams } from "./overview.ts";
import { PartitionFeed } from "./partition-feed.ts";
import { BatchPublisher } from "./publisher.ts";
import { DEAD_LETTER_STREAM, ensureStreams, eventsStream } from "./streams.ts";

const KIB = 1 << 10;
const HOUR_MS = 3_600_000;
const LIMITS = { replicas: 1, maxAgeMs: 48 * HOUR_MS, maxBytes: 64 * KIB };

let nats: TestNats | undefined;

afterEach(async () => {
  await nats?.close();
  nats = undefined;
});

/** A new server. */
async function open() {
  nats = await openTestNats();
  const nc = await nats.connect();
  return { nc, jsm: await jetstreamManager(nc), publisher: new BatchPublisher(nc, 2_000) };
}

const refusal = (nc: NatsConnection, partitions: number, limits = LIMITS): Promise<string> =>
  ensureStreams(nc, partitions, limits).then(
    () => "",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("a stream that is not as promised is refused", () => {
  /** Setting, stream, how it is made beforehand, and what the refusal says of it. */
  const DIFFERENCES: [string, string, Partial<StreamConfig>, string][] = [
    [
      "subjects",
      "EVENTS_0",
      { subjects: ["events.0", "events.old"] },
      "is events.0, events.old, promised events.0",
    ],
    ["storage", "EVENTS_0", { storage: "memory" }, "is memory, promised file"],
    ["retention", "EVENTS_0", { retention: "workqueue" }, "is workqueue, promised limits"],
    ["discard", "EVENTS_0", { discard: "old" }, "is old, promised new"],
    ["discard", "DEAD_LETTER", { discard: "new" }, "is new, promised old"],
    ["max_age", "EVENTS_0", { max_age: 24 * HOUR_MS * 1e6 }, "is 24 h, promised 48 h"],
    ["max_age", "EVENTS_0", { max_age: 0 }, "is no limit, promised 48 h"],
    ["max_bytes", "EVENTS_0", { max_bytes: KIB }, "is 1024, promised 65536"],
    ["max_msgs", "EVENTS_0", { max_msgs: 5 }, "is 5, promised no limit"],
    ["max_msgs_per_subject", "EVENTS_0", { max_msgs_per_subject: 1 }, "is 1, promised no limit"],
    ["max_msg_size", "EVENTS_0", { max_msg_size: KIB }, "is 1024, promised no limit"],
    ["duplicate_window", "EVENTS_0", { duplicate_window: 1e9 }, "is 1 s, promised 120 s"],
    ["no_ack", "EVENTS_0", { no_ack: true }, "is on, promised off"],
    ["sealed", "EVENTS_0", { sealed: true }, "is on, promised off"],
    ["allow_rollup_hdrs", "EVENTS_0", { allow_rollup_hdrs: true }, "is on, promised off"],
    ["deny_delete", "DEAD_LETTER", { deny_delete: true }, "is on, promised off"],
    ["deny_purge", "DEAD_LETTER", { deny_purge: true }, "is on, promised off"],
  ];

  test("for every setting: the stream, the setting, what it is and what was promised, and how to mend it", async () => {
    const { nc, jsm } = await open();
    await ensureStreams(nc, 1, LIMITS);
    const promised = new Map<string, StreamConfig>();
    for (const name of ["EVENTS_0", "DEAD_LETTER"]) promised.set(name, (await jsm.streams.info(name)).config);
    for (const [setting, name, change, text] of DIFFERENCES) {
      const config = promised.get(name)!;
      await jsm.streams.delete(name);
      const { sealed, ...made } = { ...config, ...change };
      await jsm.streams.add(made);
      if (sealed) await jsm.streams.update(name, { sealed } as object);
      const message = await refusal(nc, 1);
      expect(message).toContain("ConfigError: the streams' settings are not what was promised:");
      expect(message).toContain(`\n${name}: ${setting} ${text}\n`);
      expect(message).toContain("`admin streams apply`");
      await jsm.streams.delete(name);
      await jsm.streams.add(config);
      expect(await refusal(nc, 1)).toBe("");
    }
  });

  test("many streams with the same difference are named in one line", async () => {
    const { nc } = await open();
    await ensureStreams(nc, 8, LIMITS);
    const lines = (await refusal(nc, 8, { ...LIMITS, maxBytes: 128 * KIB })).split("\n");
    expect(lines[1]).toBe(
      "EVENTS_0, EVENTS_1, EVENTS_2, EVENTS_3 and 5 more: max_bytes is 65536, promised 131072",
    );
    expect(lines).toHaveLength(3);
  });

  test("nothing is changed by that", async () => {
    const { nc, jsm } = await open();
    await ensureStreams(nc, 1, LIMITS);
    const before = (await jsm.streams.info(eventsStream(0))).config;
    expect(await refusal(nc, 1, { ...LIMITS, maxAgeMs: HOUR_MS })).not.toBe("");
    expect((await jsm.streams.info(eventsStream(0))).config).toEqual(before);
  });

  test("one that cannot be created: the message names it", async () => {
    const { nc } = await open();
    await expect(ensureStreams(nc, 1, { ...LIMITS, replicas: 3 })).rejects.toThrow(
      /^EVENTS_0: JetStream did not create it with num_replicas 3 and max_bytes 65536: /,
    );
  });
});

describe("overview", () => {
  const show = (nc: NatsConnection, limits = LIMITS, apply = false) =>
    overviewStreams(nc, { partitions: 2, limits, apply });

  test("shows what is missing, differs, is held and waits; apply mends it", async () => {
    const { nc, publisher } = await open();
    expect((await show(nc)).map(({ name, state }) => [name, state])).toEqual([
      ["EVENTS_0", undefined],
      ["EVENTS_1", undefined],
      ["DEAD_LETTER", undefined],
    ]);
    const created = await show(nc, LIMITS, true);
    expect(created.map(({ applied }) => applied)).toEqual(["created", "created", "created"]);
    for (const id of ["a", "b", "c"]) await publisher.publish(1, id, Buffer.alloc(KIB));
    const feed = await PartitionFeed.open(nc, { partition: 1, after: 1, maxBytes: KIB });
    await feed.close();
    const more = { ...LIMITS, maxBytes: 128 * KIB };
    const [first, second] = await show(nc, more);
    expect(first!.state).toMatchObject({ messages: 0, bytes: 0, lastSeq: 0, firstTime: "", lag: undefined });
    expect(second!.state).toMatchObject({ messages: 3, firstSeq: 1, lastSeq: 3, lag: 2 });
    expect(second!.differences).toEqual([{ setting: "max_bytes", is: "65536", promised: "131072" }]);
  });

  test("apply changes nothing that might drop batches which the aggregator has not seen", async () => {
    const { nc, publisher } = await open();
    await show(nc, LIMITS, true);
    await publisher.publish(1, "a", Buffer.alloc(KIB));
    const [first, second, rejected] = await show(nc, { ...LIMITS, maxAgeMs: HOUR_MS }, true);
    expect([first!.applied, rejected!.applied]).toEqual(["updated", "updated"]);
    expect(second!.applied).toMatch(/^not changed: .* batches wait for the aggregator/);
    const feed = await PartitionFeed.open(nc, { partition: 1, after: 1, maxBytes: KIB });
    await feed.close();
    const again = await show(nc, { ...LIMITS, maxAgeMs: HOUR_MS }, true);
    expect(again.map(({ applied }) => applied)).toEqual(["as promised", "updated", "as promised"]);
    expect(await refusal(nc, 2, { ...LIMITS, maxAgeMs: HOUR_MS })).toBe("");
  });

  test("what JetStream does not let change is said", async () => {
    const { nc, jsm } = await open();
    await jsm.streams.add({ name: "EVENTS_0", subjects: ["events.0"], storage: "memory" });
    const [first] = await show(nc, LIMITS, true);
    expect(first!.applied).toMatch(/^not changed: .*storage/);
  });
});

describe("a full stream", () => {
  const quarter = Buffer.alloc(16 * KIB);

  test("of events refuses new batches and keeps the old ones", async () => {
    const { nc, jsm, publisher } = await open();
    await ensureStreams(nc, 1, LIMITS);
    const failures: Error[] = [];
    while (failures.length === 0) {
      await publisher.publish(0, crypto.randomUUID(), quarter).catch((error: Error) => failures.push(error));
    }
    expect(failures[0]).toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/maximum bytes/),
    });
    expect((await jsm.streams.info(eventsStream(0))).state).toMatchObject({ first_seq: 1, messages: 3 });
  });

  test("of refused batches drops the oldest: they must not stand in the way of good ones", async () => {
    const { nc, jsm, publisher } = await open();
    await ensureStreams(nc, 1, LIMITS);
    for (let i = 0; i < 6; i++) await publisher.reject(0, "CHECKSUM", `${i}`, quarter);
    const { state } = await jsm.streams.info(DEAD_LETTER_STREAM);
    expect(state.last_seq).toBe(6);
    expect(state.first_seq).toBeGreaterThan(1);
  });
});
