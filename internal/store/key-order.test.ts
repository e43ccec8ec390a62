import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventColumns } from "./event-columns.ts";
import { inIndexOrder } from "./key-order.ts";

const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
const keyTime = fc.oneof(fc.constant(Number.NaN), fc.constant(0), fc.constant(1_790_000_000_000));
const rows = fc.array(fc.record({ id, keyTime, isLeftOut: fc.boolean() }), { maxLength: 40 });

function claimOf(given: readonly { id: Uint8Array; keyTime: number; isLeftOut: boolean }[]) {
  const columns = {
    rows: given.length,
    eventIds: Buffer.concat(given.map((row) => row.id)),
    keyTimes: Float64Array.from(given.map((row) => row.keyTime)),
  } as unknown as EventColumns;
  return { columns, duplicates: Uint8Array.from(given.map((row) => Number(row.isLeftOut))) };
}

function pairs(ordered: Uint32Array): string[] {
  return Array.from({ length: ordered.length / 2 }, (_, at) => `${ordered[2 * at]} ${ordered[2 * at + 1]}`);
}

test("every row whose id is claimed is given once, and no other", () => {
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 5 }), (batches) => {
      const expected = batches.flatMap((batch, claim) =>
        batch.flatMap((row, at) => (Number.isNaN(row.keyTime) || row.isLeftOut ? [] : [`${claim} ${at}`])),
      );
      expect(pairs(inIndexOrder(batches.map(claimOf))).toSorted()).toEqual(expected.toSorted());
    }),
  );
});

test.each([
  ["of one millisecond", (at: number) => 1_790_000_000_000 + 0 * at],
  ["of a few seconds", (at: number) => 1_790_000_000_000 + ((at * 7_919) % 5_000)],
])("20,000 UUIDv7 %s are in the order of their bytes, those of the epoch before them", (_, timeOf) => {
  const uuids = Array.from({ length: 20_000 }, (_row, at) => {
    const bytes = Buffer.alloc(16);
    bytes.writeUIntBE(timeOf(at), 0, 6);
    bytes.writeUInt32BE(Math.imul(at + 1, 2_654_435_761) >>> 0, 6);
    bytes[6] = 0x70 | (bytes[6]! & 0x0f);
    bytes[8] = 0x80 | (bytes[8]! & 0x3f);
    return { id: bytes, keyTime: at % 10 === 0 ? 0 : 1, isLeftOut: false };
  });
  const ordered = inIndexOrder([claimOf(uuids)]);
  const given = Array.from({ length: ordered.length / 2 }, (_row, at) => uuids[ordered[2 * at + 1]!]!);
  expect(given.slice(0, 2_000).every(({ keyTime }) => keyTime === 0)).toBe(true);
  for (const part of [given.slice(0, 2_000), given.slice(2_000)]) {
    // What is compared of an id ends behind its 74th bit, so that a few neighbours may change places.
    const wrong = part.filter(({ id: own }, at) => at > 0 && Buffer.compare(part[at - 1]!.id, own) > 0);
    expect(wrong.length).toBeLessThan(part.length / 100);
  }
});
