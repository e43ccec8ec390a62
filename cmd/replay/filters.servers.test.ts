import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { DeadLetterList } from "../../internal/replay/list.ts";
import type { RedriveResult } from "../../internal/replay/redrive.ts";
import { DEAD_LETTER_STREAM, eventsStream } from "../../internal/stream/streams.ts";
import { merchantsOf } from "../../test/kit/batches.ts";
import { DeadLetters, PARTITIONS, partitionBatch } from "./testing/rig.ts";

let deadLetters: DeadLetters;

beforeAll(async () => {
  deadLetters = await DeadLetters.open();
});
beforeEach(() => deadLetters.purge());
afterAll(() => deadLetters?.close());

const run = <T>(name: string, ...flags: string[]) => deadLetters.run<T>(name, ...flags);
const info = (stream: string) => deadLetters.info(stream);
const reject: DeadLetters["reject"] = (...batch) => deadLetters.reject(...batch);

const [m0] = merchantsOf(0, PARTITIONS, 1) as [number];
const [m1, other1] = merchantsOf(1, PARTITIONS, 2) as [number, number];

/** Five refused batches, 10 ms and more apart, with their sequences and the time before each. */
async function five() {
  const seqs: number[] = [];
  const before: string[] = [];
  const batches: [number | undefined, string, Uint8Array][] = [
    [0, "PROCESSING_FAILED", partitionBatch(0, {}, {}).bytes],
    [1, "PROCESSING_FAILED", partitionBatch(1, {}, {}, {}, { merchantId: other1 }).bytes],
    [0, "CHECKSUM", partitionBatch(0, {}).bytes.subarray(0, -5)],
    [undefined, "MALFORMED", Buffer.from("no batch")],
    [1, "VALUE_RANGE", partitionBatch(1, {}).bytes],
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
  [
    "overlapping sequences",
    ({ seqs }) => ["--seq", `${seqs[1]}-${seqs[3]},${seqs[0]}-${seqs[2]}`],
    [0, 1, 2, 3],
  ],
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
    const list = await run<DeadLetterList>("dlq list", ...flags(all));
    const seqs = list.newest.map(({ seq }) => seq).sort((a, b) => a - b);
    expect(seqs, name).toEqual(meant.map((at) => all.seqs[at]));
    const dry = await run<RedriveResult>("dlq redrive", "--dry-run", ...flags(all));
    const good = meant.filter((at) => whole[at]);
    expect(dry, name).toMatchObject({
      dryRun: true,
      redriven: { batches: good.length, events: good.reduce((sum, at) => sum + events[at]!, 0) },
      stopped: undefined,
    });
    expect(dry.notRedriven, name).toHaveLength(meant.length - good.length);
  }
  // A dry run changes nothing.
  expect((await info(DEAD_LETTER_STREAM)).messages).toBe(5);
  expect((await info(eventsStream(1))).messages).toBe(0);
});

test("list counts by reason, merchant and hour, and says what could be redriven", async () => {
  const { seqs, before } = await five();
  const list = await run<DeadLetterList>("dlq list", "--limit", "2");
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
