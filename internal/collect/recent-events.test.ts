import fc from "fast-check";
import { expect, test } from "vitest";
import { RecentEvents } from "./recent-events.ts";
import { Ticket } from "./ticket.ts";

function ticket(stored?: boolean): Ticket {
  const made = new Ticket();
  if (stored === true) made.settle({ stored: true });
  if (stored === false) made.settle({ stored: false, retry: true, message: "late" });
  return made;
}

test("the last half of the capacity is always remembered, and never more than all of it", () => {
  const capacity = fc.integer({ min: 2, max: 50 });
  fc.assert(
    fc.property(capacity, fc.integer({ min: 0, max: 300 }), (capacity, count) => {
      const recent = new RecentEvents(capacity);
      for (let at = 0; at < count; at++) recent.remember(`${at}`, ticket(true));
      const found = Array.from({ length: count }, (_, at) => recent.find(`${at}`) !== undefined);
      expect(found.filter(Boolean).length).toBeLessThanOrEqual(capacity);
      const last = Math.min(count, capacity >>> 1);
      expect(found.slice(count - last).every(Boolean)).toBe(true);
    }),
  );
});

test("an event on its way and a stored one are found, one that failed is not", () => {
  const recent = new RecentEvents(10);
  const tickets = { open: ticket(), stored: ticket(true), failed: ticket(false) };
  for (const [key, made] of Object.entries(tickets)) recent.remember(key, made);
  expect(recent.find("open")).toBe(tickets.open);
  expect(recent.find("stored")).toBe(tickets.stored);
  expect(recent.find("failed")).toBeUndefined();
  expect(recent.find("never seen")).toBeUndefined();
  tickets.open.settle({ stored: false, retry: false, message: "refused" });
  expect(recent.find("open")).toBeUndefined();
});

test("an event that failed and is sent again is found by its new batch", () => {
  const recent = new RecentEvents(4);
  recent.remember("event", ticket(false));
  // It moves to the older half, which must not hide the new one.
  for (const key of ["a", "b"]) recent.remember(key, ticket(true));
  const again = ticket(true);
  recent.remember("event", again);
  expect(recent.find("event")).toBe(again);
});

test("no two events share a key", () => {
  const event = fc.tuple(
    fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    fc.oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.constant(Buffer.from("1".repeat(16)))),
  );
  fc.assert(
    fc.property(event, event, ([merchant, id], [otherMerchant, otherId]) => {
      const same = merchant === otherMerchant && Buffer.from(id).equals(otherId);
      const key = RecentEvents.key(merchant, Buffer.from(id));
      expect(key === RecentEvents.key(otherMerchant, Buffer.from(otherId))).toBe(same);
    }),
  );
  const ones = Buffer.from("1".repeat(16));
  expect(RecentEvents.key(1, ones)).not.toBe(RecentEvents.key(11, ones));
});
