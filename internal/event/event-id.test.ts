import { createHash, randomUUIDv7 } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventIdBytes, formatId, keyTime, uuidV7Time, writeDerivedId } from "./event-id.ts";

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe("eventIdBytes", () => {
  test("a UUID is kept as it is, in either case", () => {
    fc.assert(
      fc.property(fc.uuid({ version: [1, 2, 3, 4, 5, 6, 7, 8] }), (uuid) => {
        expect(formatId(eventIdBytes(uuid))).toBe(uuid);
        expect(eventIdBytes(uuid.toUpperCase())).toEqual(eventIdBytes(uuid));
      }),
    );
  });

  test("other texts become UUIDv8 from their SHA-256", () => {
    // printf 'test\n' | sha256sum: f2ca1bb6c7e907d06dafe4687e579fce76b3...
    expect(formatId(eventIdBytes("test\n"))).toBe("f2ca1bb6-c7e9-87d0-adaf-e4687e579fce");
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        const id = eventIdBytes(text);
        expect([id.length, id[6]! >> 4, id[8]! >> 6]).toEqual([16, 8, 2]);
        const hex = createHash("sha256").update(text).digest("hex");
        // All but the version's four bits and the variant's two, which share a digit with two of the hash.
        const wanted = new RegExp(`^${hex.slice(0, 12)}8${hex.slice(13, 16)}[89ab]${hex.slice(17, 32)}$`);
        expect(id.toString("hex")).toMatch(wanted);
      }),
    );
  });

  test.each([
    "019b7ca990707abc8def0123456789ab",
    "{019b7ca9-9070-7abc-8def-0123456789ab}",
    "019b7ca9-9070-7abc-8def-0123456789ab ",
    "order-1",
  ])("%j is not a UUID as it is written, and is hashed", (text) => {
    expect(eventIdBytes(text)[6]! >> 4).toBe(8);
  });

  test("the nil UUID is an id like others, not an absent one", () => {
    const id = eventIdBytes("00000000-0000-0000-0000-000000000000");
    expect(id.some((byte) => byte !== 0)).toBe(true);
  });
});

describe("the time of an id", () => {
  test("is what a UUIDv7 carries, at any offset", () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(time, bytes16, fc.integer({ min: 0, max: 20 }), (time, random, offset) => {
        const id = Buffer.from(random);
        id.writeUIntBE(time, 0, 6);
        id[6] = 0x70 | (id[6]! & 0x0f);
        id[8] = 0x80 | (id[8]! & 0x3f);
        const inside = Buffer.concat([Buffer.alloc(offset, 0xaa), id, Buffer.alloc(3)]);
        expect(uuidV7Time(inside, offset)).toBe(time);
        const within = time >= Date.parse("2020-01-01") && time < Date.parse("2050-01-01");
        expect(keyTime(inside, offset)).toBe(within ? time : 0);
      }),
    );
  });

  test("of one made by Node is now", () => {
    const before = Date.now();
    const id = eventIdBytes(randomUUIDv7());
    expect(uuidV7Time(id)).toBeGreaterThanOrEqual(before);
    expect(uuidV7Time(id)).toBeLessThanOrEqual(Date.now());
  });

  test("is none, and the key 0, in any other version or variant", () => {
    fc.assert(
      fc.property(bytes16, (id) => {
        fc.pre(id[6]! >> 4 !== 7 || id[8]! >> 6 !== 2);
        expect([uuidV7Time(id), keyTime(id, 0)]).toEqual([undefined, 0]);
      }),
    );
  });
});

describe("derived ids", () => {
  const row = fc.integer({ min: 0, max: 65_535 });

  test("are the batch's id with row + 1 added to the last 32 bits", () => {
    fc.assert(
      fc.property(bytes16, row, fc.integer({ min: 0, max: 20 }), (batchId, row, offset) => {
        const target = new Uint8Array(offset + 20).fill(0xaa);
        writeDerivedId(batchId, row, target, offset);
        const whole = BigInt(`0x${Buffer.from(batchId).toString("hex")}`);
        const low = (whole + BigInt(row + 1)) % 2n ** 32n;
        const wanted = ((whole >> 32n) << 32n) | low;
        expect(Buffer.from(target).toString("hex", offset, offset + 16)).toBe(
          wanted.toString(16).padStart(32, "0"),
        );
        expect(target.subarray(0, offset).every((byte) => byte === 0xaa)).toBe(true);
        expect(target.subarray(offset + 16).every((byte) => byte === 0xaa)).toBe(true);
      }),
    );
  });

  test("differ from row to row and from the batch's, and keep a UUIDv7's time", () => {
    fc.assert(
      fc.property(row, row, (one, other) => {
        fc.pre(one !== other);
        const batchId = eventIdBytes(randomUUIDv7());
        const ids = new Uint8Array(32);
        writeDerivedId(batchId, one, ids, 0);
        writeDerivedId(batchId, other, ids, 16);
        expect(new Set([formatId(batchId), formatId(ids), formatId(ids, 16)]).size).toBe(3);
        expect(uuidV7Time(ids, 16)).toBe(uuidV7Time(batchId));
      }),
    );
  });
});
