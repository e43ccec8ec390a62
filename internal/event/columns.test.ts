import fc from "fast-check";
import { expect, test } from "vitest";
import {
  aligned,
  asI32,
  asI64,
  asMicros,
  asU16,
  asU32,
  ScratchColumns,
  setI64,
  setMicros,
} from "./columns.ts";

/** Eight values' bytes of 64 bits each, at an offset of 0 to 7 in memory. */
const columns = fc
  .tuple(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.integer({ min: 0, max: 7 }))
  .map(([values, offset]) => {
    const memory = new Uint8Array(80).fill(0xaa);
    memory.set(values, offset);
    return memory.subarray(offset, offset + 64);
  });

test("columns are little-endian, wherever they lie", () => {
  fc.assert(
    fc.property(columns, (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const all = (count: number, read: (at: number) => number) =>
        Array.from({ length: count }, (_, at) => read(at));
      expect([...asU16(bytes)]).toEqual(all(32, (at) => view.getUint16(2 * at, true)));
      expect([...asU32(bytes)]).toEqual(all(16, (at) => view.getUint32(4 * at, true)));
      expect([...asI32(bytes)]).toEqual(all(16, (at) => view.getInt32(4 * at, true)));
      const column = asI64(bytes);
      expect(all(column.length, (at) => column.get(at))).toEqual(
        all(8, (at) => Number(view.getBigInt64(8 * at, true))),
      );
      const micros = asMicros(bytes);
      const exact = Array.from({ length: 8 }, (_, at) => view.getBigInt64(8 * at, true));
      expect(exact.map((_, at) => micros.get(at))).toEqual(exact);
      const written = new Uint32Array(16);
      for (const [at, value] of exact.entries()) setMicros(written, at, value);
      expect(new Uint8Array(written.buffer)).toEqual(new Uint8Array(bytes));
      expect(aligned(bytes)).toEqual(bytes);
      expect(aligned(bytes).byteOffset % 4).toBe(0);
    }),
  );
});

test("columns in scratch memory are the same until it is cleared, however many there are", () => {
  const scratch = new ScratchColumns();
  const column = fc.tuple(fc.nat(7), fc.uint8Array({ maxLength: 20_000, size: "max" }));
  fc.assert(
    fc.property(fc.array(column, { maxLength: 8 }), (columns) => {
      scratch.clear();
      const given = columns.map(([offset, bytes]) => {
        const memory = new Uint8Array(offset + bytes.length);
        memory.set(bytes, offset);
        return memory.subarray(offset);
      });
      const placed = given.map((bytes) => scratch.aligned(bytes));
      expect(placed.every(({ byteOffset }) => byteOffset % 4 === 0)).toBe(true);
      for (const [at, bytes] of given.entries()) expect(Buffer.compare(placed[at]!, bytes)).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test("setI64 writes what a DataView reads, within ±2^53", () => {
  const value = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(0, -1, 2 ** 32, -(2 ** 32), 2 ** 53, -(2 ** 53)),
  );
  fc.assert(
    fc.property(value, (value) => {
      const words = new Uint32Array(4);
      setI64(words, 1, value);
      expect(new DataView(words.buffer).getBigInt64(8, true)).toBe(BigInt(value));
      expect([words[0], words[1]]).toEqual([0, 0]);
    }),
  );
});
