import { randomBytes } from "node:crypto";
import { BatchRejectReason } from "../../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { type TestBatch, testBatch } from "../../../test/kit/batches.ts";
import { goodBatch, M, P, TIME } from "./rig.ts";

/** A text that does not compress. */
export const noise = (bytes: number) => randomBytes(bytes).toString("base64");

const R = BatchRejectReason;
const event = { merchantId: M, time: TIME, url: "https://shop.example/" };
/** Name, the reason and the message that the batch must be answered with, and the batch. */
export const BAD_BATCHES: [string, BatchRejectReason, RegExp, () => TestBatch | Uint8Array][] = [
  ["garbage", R.MALFORMED, /^batch: /, () => Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a truncated batch", R.MALFORMED, /^batch: /, () => goodBatch().bytes.subarray(0, -20)],
  [
    "a flipped bit in the payload",
    R.CHECKSUM,
    /^checksum: \d+, but the payload's is \d+$/,
    () => testBatch([event], { partition: P, spoilSealed: ({ payload }) => payload.fill(0, 5) }),
  ],
  [
    "an unknown codec",
    R.CODEC,
    /codec: unknown 9/,
    () => testBatch([event], { partition: P, spoilSealed: (sealed) => Object.assign(sealed, { codec: 9 }) }),
  ],
  [
    "a later version of the layout",
    R.VERSION,
    /version: 3/,
    () => testBatch([event], { partition: P, spoil: (batch) => Object.assign(batch, { version: 3 }) }),
  ],
  [
    "a column that is too short",
    R.COLUMN_LENGTH,
    /clientTime: 4 bytes/,
    () =>
      testBatch([event], {
        partition: P,
        spoil: (batch) => Object.assign(batch, { clientTime: new Uint8Array(4) }),
      }),
  ],
  [
    "text that is not UTF-8",
    R.DICTIONARY,
    /UTF-8/,
    () => testBatch([event], { partition: P, spoil: ({ dictionary }) => dictionary.fill(0xff, 3, 4) }),
  ],
  [
    "an index outside of the dictionary",
    R.INDEX,
    /url: index 77/,
    () => testBatch([event], { partition: P, spoil: ({ url }) => url.fill(77, 0, 1) }),
  ],
  [
    "a time in the year 2300",
    R.VALUE_RANGE,
    /clientTime: 10413792000000 ms in row 0/,
    () => testBatch([{ ...event, time: Date.UTC(2300, 0), receivedTime: TIME }], { partition: P }),
  ],
  [
    "a merchant of another partition",
    R.PARTITION,
    /not of partition 1/,
    () => testBatch([event], { partition: 1 }),
  ],
  [
    "a partition that does not exist",
    R.PARTITION,
    /partition: 4, there are 4/,
    () => testBatch([event], { partition: 4 }),
  ],
  [
    "a batch that decompresses to more than a reader takes",
    R.CODEC,
    /payload: .*33554432/,
    () =>
      testBatch([event], {
        partition: P,
        spoil: (batch) => Object.assign(batch, { dictionary: new Uint8Array(33 << 20) }),
      }),
  ],
  [
    "a batch that is larger than is taken",
    R.MALFORMED,
    /^batch: \d+ bytes, at most 200000 are taken, and kept$/,
    () =>
      testBatch(
        Array.from({ length: 5 }, () => ({ ...event, url: noise(60_000) })),
        { partition: P },
      ),
  ],
];
