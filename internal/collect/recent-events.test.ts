import fc from "fast-check";
import { expect, test } from "vitest";
import { Receipt } from "./receipt.ts";
import { RecentEvents } from "./recent-events.ts";

/** Sixteen bytes for a text of up to as many. */
const id = (text: string) => Buffer.from(text.padEnd(16, "."));

function receipt(stored?: boolean): Receipt {
  const made = new Receipt();
  if (stored === true) made.settle({ stored: true });
  if (stored === false) made.settle({ stored: false, retry: true, message: "late" });
  return made;
}

test("the last half of the capacity is always remembered, and never more than all of it", () => {
  const capacity = fc.integer({ min: 2, max: 50 });
  fc.assert(
    fc.property(capacity, fc.integer({ min: 0, max: 300 }), (capacity, count) => {
      const recent = new RecentEvents(capacity);
      for (let at = 0; at < count; at++) recent.claim(1, id(`${at}`), receipt(true));
      const found = Array.from({ length: count }, (_, at) => recent.find(1, id(`${at}`)) !== undefined);
      expect(found.filter(Boolean).length).toBeLessThanOrEqual(capacity);
      const last = Math.min(count, capacity >>> 1);
      expect(found.slice(count - last).every(Boolean)).toBe(true);
    }),
  );
});

test("an event on its way and a stored one are found, one that failed is not", () => {
  const recent = new RecentEvents(10);
  const receipts = { open: receipt(), stored: receipt(true), failed: receipt(false) };
  for (const [key, made] of Object.entries(receipts)) recent.claim(1, id(key), made);
  expect(recent.find(1, id("open"))).toBe(receipts.open);
  expect(recent.find(1, id("stored"))).toBe(receipts.stored);
  expect(recent.find(1, id("failed"))).toBeUndefined();
  expect(recent.find(1, id("never seen"))).toBeUndefined();
  receipts.open.settle({ stored: false, retry: false, message: "refused" });
  expect(recent.find(1, id("open"))).toBeUndefined();
});

test("an event that failed and is sent again is found by its new batch", () => {
  const recent = new RecentEvents(4);
  recent.claim(1, id("event"), receipt(false));
  // It moves to the older half, which must not hide the new one.
  for (const key of ["a", "b"]) recent.claim(1, id(key), receipt(true));
  const again = receipt(true);
  expect(recent.claim(1, id("event"), again)).toBeUndefined();
  expect(recent.claim(1, id("event"), receipt())).toBe(again);
  expect(recent.find(1, id("event"))).toBe(again);
});

test("an event is told by its merchant and all bytes of its id, wherever these stand", () => {
  const event = fc.tuple(
    fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    fc.oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.constant(Buffer.alloc(16, "1"))),
  );
  const byte = fc.tuple(fc.nat(15), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(event, byte, fc.nat(9), ([merchant, bytes], [at, change], offset) => {
      const recent = new RecentEvents(4);
      const made = receipt(true);
      const moved = Buffer.concat([Buffer.alloc(offset, 7), bytes, Buffer.alloc(3, 9)]);
      recent.claim(merchant, moved, made, offset);
      expect(recent.find(merchant, bytes)).toBe(made);
      expect(recent.find(merchant, moved, offset)).toBe(made);
      expect(recent.find(merchant === 1 ? 2 : merchant - 1, bytes)).toBeUndefined();
      const other = Uint8Array.from(bytes, (value, index) => (index === at ? value ^ change : value));
      expect(recent.find(merchant, other)).toBeUndefined();
    }),
  );
});

test("each of many events is found with its own batch", () => {
  const recent = new RecentEvents(20_000);
  const receipts = Array.from({ length: 8_000 }, () => receipt(true));
  for (const [at, made] of receipts.entries()) recent.claim((at % 7) + 1, id(`event ${at}`), made);
  for (const [at, made] of receipts.entries())
    expect(recent.find((at % 7) + 1, id(`event ${at}`))).toBe(made);
});
