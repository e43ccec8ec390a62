import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Codec, type EventBatch, EventBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason as Reason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { BatchBuilder } from "./batch-builder.ts";
import { checkBatch } from "./batch-check.ts";
import { type BatchProblem, open, seal, sealedBytes } from "./seal.ts";
import { readGolden, rowsOf } from "./testing/golden.ts";

const GOLDEN = readGolden("full");

/** The full golden batch with something changed, sealed and looked at as ingest does. */
function problemOf(change: (batch: EventBatch) => void, partitions = 64): BatchProblem | undefined {
  const builder = new BatchBuilder(GOLDEN.rows.length);
  for (const row of rowsOf(GOLDEN)) builder.add(row);
  const batch = builder.take();
  change(batch);
  const sealed = seal(batch, { partition: 55, collectorId: "edge", codec: Codec.NONE, closedTime: 1 });
  return checkedBytes(sealedBytes(sealed), partitions);
}

function checkedBytes(bytes: Uint8Array, partitions = 64): BatchProblem | undefined {
  const opened = open(bytes);
  return opened.problem ?? checkBatch(opened.sealed!, opened.batch!, partitions);
}

const u32 = (column: Uint8Array, at: number, value: number) =>
  new DataView(column.buffer, column.byteOffset).setUint32(4 * at, value, true);
const i64 = (column: Uint8Array, at: number, value: bigint) =>
  new DataView(column.buffer, column.byteOffset).setBigInt64(8 * at, value, true);
const shorter = (column: Uint8Array) => column.subarray(0, column.length - 1);

/** What is wrong, the reason for which it is refused, what its message names. */
const FAULTS: [string, keyof typeof Reason, RegExp, (batch: EventBatch) => void][] = [
  ["an unknown version", "VERSION", /version: 1,/, (b) => (b.version = 1)],
  ["no version", "VERSION", /version: 0/, (b) => (b.version = 0)],
  [
    "a column missing",
    "COLUMN_LENGTH",
    /receivedTime: is missing/,
    (b) => (b.receivedTime = new Uint8Array()),
  ],
  ["no client times", "COLUMN_LENGTH", /clientTime: is missing/, (b) => (b.clientTime = new Uint8Array())],
  [
    "a cut column",
    "COLUMN_LENGTH",
    /visitorId: 15 bytes for 4 rows/,
    (b) => (b.visitorId = shorter(b.visitorId)),
  ],
  ["cut ids", "COLUMN_LENGTH", /eventId: 63 bytes for 4 rows/, (b) => (b.eventId = shorter(b.eventId))],
  ["a cut u16 column", "COLUMN_LENGTH", /screenWidth: 7/, (b) => (b.screenWidth = shorter(b.screenWidth))],
  [
    "a cut side column",
    "COLUMN_LENGTH",
    /items.brand: 11/,
    (b) => (b.items!.brand = shorter(b.items!.brand)),
  ],
  ["a cut side row", "COLUMN_LENGTH", /orders.row: 7/, (b) => (b.orders!.row = shorter(b.orders!.row))],
  [
    "no item prices",
    "COLUMN_LENGTH",
    /items.priceMicros: 0/,
    (b) => (b.items!.priceMicros = new Uint8Array()),
  ],
  ["no order ids", "COLUMN_LENGTH", /orders.id: 0 bytes/, (b) => (b.orders!.id = new Uint8Array())],
  ["cut ends", "DICTIONARY", /dictionary_ends: /, (b) => (b.dictionaryEnds = shorter(b.dictionaryEnds))],
  ["ends that go back", "DICTIONARY", /entry 2 from 8 to 7/, (b) => u32(b.dictionaryEnds, 1, 7)],
  ["an empty entry", "DICTIONARY", /entry 2 from 8 to 8/, (b) => u32(b.dictionaryEnds, 1, 8)],
  ["an end beyond the text", "DICTIONARY", /to 999999/, (b) => u32(b.dictionaryEnds, 3, 999_999)],
  [
    "text after the last entry",
    "DICTIONARY",
    /entries end at/,
    (b) => (b.dictionary = Buffer.concat([b.dictionary, Buffer.from("x")])),
  ],
  [
    "too many entries",
    "DICTIONARY",
    /4194304 entries, at most 4194303/,
    (b) => (b.dictionaryEnds = new Uint8Array(4 * 2 ** 22)),
  ],
  ["bytes that are not UTF-8", "DICTIONARY", /not UTF-8/, (b) => (b.dictionary[0] = 0xff)],
  ["U+0000", "DICTIONARY", /U\+0000/, (b) => (b.dictionary[0] = 0)],
  ["a text index too large", "INDEX", /url: index 77/, (b) => u32(b.url, 0, 77)],
  ["the largest index", "INDEX", /url: index 4294967295/, (b) => u32(b.url, 0, 2 ** 32 - 1)],
  ["a row without name", "INDEX", /name: absent in row 1/, (b) => u32(b.name, 1, 0)],
  ["a side index too large", "INDEX", /orders.coupon: index 77/, (b) => u32(b.orders!.coupon, 0, 77)],
  ["a property without key", "INDEX", /properties.key: is absent/, (b) => u32(b.properties!.key, 0, 0)],
  ["an item without id", "INDEX", /items.id: is absent/, (b) => u32(b.items!.id, 2, 0)],
  ["an item of no row", "INDEX", /items.row: 4 at 2/, (b) => u32(b.items!.row, 2, 4)],
  ["items out of order", "INDEX", /items.row: 0 at 1/, (b) => u32(b.items!.row, 0, 1)],
  ["two orders of a row", "INDEX", /orders.row: 0 at 1/, (b) => u32(b.orders!.row, 1, 0)],
  [
    "a time before 1900",
    "VALUE_RANGE",
    /clientTime: .* in row 2/,
    (b) => i64(b.clientTime, 2, -2208988800001n),
  ],
  ["a time after 2200", "VALUE_RANGE", /sentTime: .* in row 2/, (b) => i64(b.sentTime, 2, 7258118400001n)],
  ["a time beyond 2^53", "VALUE_RANGE", /receivedTime/, (b) => i64(b.receivedTime, 0, 2n ** 63n - 1n)],
  ["a negative amount", "VALUE_RANGE", /orders.taxMicros: -1/, (b) => i64(b.orders!.taxMicros, 0, -1n)],
  [
    "an amount too large",
    "VALUE_RANGE",
    /items.priceMicros: 1000000000000000001/,
    (b) => i64(b.items!.priceMicros, 0, 10n ** 18n + 1n),
  ],
  ["a quantity of 0", "VALUE_RANGE", /items.quantityMicros/, (b) => i64(b.items!.quantityMicros, 1, 0n)],
  [
    "a quantity too large",
    "VALUE_RANGE",
    /items.quantityMicros: 1000000000001 is/,
    (b) => i64(b.items!.quantityMicros, 1, 10n ** 12n + 1n),
  ],
  ["a refund that is 2", "VALUE_RANGE", /orders.isRefund: 2/, (b) => u32(b.orders!.isRefund, 0, 2)],
  ["merchant 0", "VALUE_RANGE", /merchant_id: 0 in row 3/, (b) => u32(b.merchantId, 3, 0)],
  ["merchant 2^31", "VALUE_RANGE", /merchant_id: 2147483648 in row 0/, (b) => u32(b.merchantId, 0, 2 ** 31)],
  [
    "a merchant of another partition",
    "PARTITION",
    /merchant_id: 2 in row 1 .* partition 55/,
    (b) => u32(b.merchantId, 1, 2),
  ],
];

test.each(FAULTS)("%s: %s", (_, reason, message, change) => {
  const problem = problemOf(change);
  expect([Reason[problem!.reason], problem!.message]).toEqual([reason, expect.stringMatching(message)]);
});

test("a partition that does not exist: PARTITION", () => {
  expect(problemOf(() => {}, 55)).toEqual({
    reason: Reason.PARTITION,
    message: "partition: 55, there are 55",
  });
});

test("a good batch has no problem, nor has one without optional columns", () => {
  expect(problemOf(() => {})).toBeUndefined();
  const empty = new Uint8Array();
  const optional = { visitorId: empty, url: empty, eventId: empty, sentTime: empty, screenWidth: empty };
  expect(
    problemOf((batch) => Object.assign(batch, optional, { items: create(EventBatchSchema).items })),
  ).toBe(undefined);
});

test("an index into an empty dictionary: INDEX", () => {
  const change = { dictionary: new Uint8Array(), dictionaryEnds: new Uint8Array() };
  expect(problemOf((batch) => Object.assign(batch, change))!.reason).toBe(Reason.INDEX);
});

test("a dictionary that cuts a character between two entries: DICTIONARY", () => {
  const problem = problemOf((batch) => {
    batch.dictionary = Buffer.from("é");
    batch.dictionaryEnds = Buffer.from([1, 0, 0, 0, 2, 0, 0, 0]);
  });
  expect(problem!.reason).toBe(Reason.DICTIONARY);
});

test.each([0, 5, 65_537])("rows: %i in the envelope is COLUMN_LENGTH", (rows) => {
  const opened = open(sealedBytes(goldenSealed()));
  expect(checkBatch({ ...opened.sealed!, rows }, opened.batch!, 64)).toEqual({
    reason: Reason.COLUMN_LENGTH,
    message: `rows: 4 in the batch, ${rows} outside, must be equal and 1 to 65536`,
  });
});

test.each([0, 15, 17])("a batch id of %i bytes is MALFORMED", (length) => {
  const bytes = sealedBytes({ ...goldenSealed(), batchId: new Uint8Array(length) });
  expect(checkedBytes(bytes)).toEqual({
    reason: Reason.MALFORMED,
    message: `batch_id: ${length} bytes, must be 16`,
  });
});

function goldenSealed() {
  const builder = new BatchBuilder(GOLDEN.rows.length);
  for (const row of rowsOf(GOLDEN)) builder.add(row);
  return seal(builder.take(), { partition: 55, collectorId: "edge", codec: Codec.ZSTD, closedTime: 1 });
}
