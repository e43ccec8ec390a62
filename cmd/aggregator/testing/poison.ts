import { merchantsOf, type TestBatch, type TestBatchOptions, testBatch } from "../../../test/kit/batches.ts";
import { PARTITIONS } from "./rig.ts";

/** Name, reason, and the bytes of a batch of a partition that cannot be processed. */
type Poison = [string, string, (partition: number) => Uint8Array];

/** Batches that ingest would not let through, or that changed on the way. */
export function poisonBatches(): Poison[] {
  return [
    ["garbage", "MALFORMED", () => Buffer.from("no batch at all")],
    ["an empty message", "CODEC", () => new Uint8Array(0)],
    ["a truncated batch", "MALFORMED", (partition) => one(partition).bytes.subarray(0, -10)],
    ["a payload that changed", "CHECKSUM", spoiltSealed(({ payload }) => payload.fill(0, 9))],
    ["an index out of range", "INDEX", spoilt(({ name }) => name.fill(0xff))],
    ["a batch of another partition", "PARTITION", (partition) => one((partition + 1) % PARTITIONS).bytes],
    [
      "an envelope that claims more rows than a ledger line holds",
      "COLUMN_LENGTH",
      spoiltSealed((sealed) => Object.assign(sealed, { rows: 2 ** 32 - 1 })),
    ],
    [
      "an envelope without an id",
      "MALFORMED",
      spoiltSealed((sealed) => Object.assign(sealed, { batchId: new Uint8Array(0) })),
    ],
    [
      "an envelope with a short id and a wrong checksum",
      "CHECKSUM",
      spoiltSealed((sealed) => Object.assign(sealed, { batchId: Buffer.from("short"), checksum: 1 })),
    ],
    ["an event with more items than can be numbered", "VALUE_RANGE", manyItems],
  ];
}

function one(partition: number, options: Partial<TestBatchOptions> = {}): TestBatch {
  const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
  return testBatch([{ merchantId, time: 0 }], { partition, ...options });
}

function spoilt(spoil: NonNullable<TestBatchOptions["spoil"]>) {
  return (partition: number) => one(partition, { spoil }).bytes;
}

function spoiltSealed(spoilSealed: NonNullable<TestBatchOptions["spoilSealed"]>) {
  return (partition: number) => one(partition, { spoilSealed }).bytes;
}

function manyItems(partition: number): Uint8Array {
  const [merchantId] = merchantsOf(partition, PARTITIONS, 1) as [number];
  const items = Array.from({ length: 32_769 }, () => ({
    id: "i",
    priceMicros: 1n,
    quantityMicros: 1_000_000n,
  }));
  return testBatch([{ merchantId, time: 0, items }], { partition }).bytes;
}
