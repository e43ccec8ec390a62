import { describe, expect, test } from "vitest";
import type { StreamBatch } from "../stream/partition-feed.ts";
import { type Gathering, type Group, gather } from "./gather.ts";
import { HeldBytes } from "./held-bytes.ts";

const MIDNIGHT = Date.UTC(2026, 10, 24);

/** A batch of 100 bytes. */
function batch(seq: number, storedTime = Date.now(), pending = 1): StreamBatch {
  return { seq, storedTime, pending, bytes: new Uint8Array(100) };
}

/** Gives what it has, then nothing within any wait. */
function feedOf(batches: StreamBatch[]) {
  const left = [...batches];
  return {
    left,
    next: async (waitMs: number) => {
      if (left.length > 0) return left.shift();
      await new Promise((resolve) => setTimeout(resolve, Math.min(waitMs, 20)));
      return undefined;
    },
  };
}

function options(fields: Partial<Gathering> = {}): Gathering & { held: HeldBytes } {
  return {
    carried: undefined,
    plannedThrough: undefined,
    objectMaxBytes: 1_000_000,
    objectMaxAgeMs: 3_600_000,
    held: new HeldBytes(1_000_000, 2),
    signal: new AbortController().signal,
    onFirst: () => {},
    ...fields,
  };
}

const seqs = (group: Group | undefined) => group?.batches.map(({ seq }) => seq);

describe("a group closes", () => {
  test("when it is large enough", async () => {
    const feed = feedOf([1, 2, 3, 4].map((seq) => batch(seq)));
    const group = await gather(feed, options({ objectMaxBytes: 250 }));
    expect(seqs(group)).toEqual([1, 2, 3]);
    expect(group).toMatchObject({ through: 3, bytes: 300, next: undefined });
    expect(feed.left).toHaveLength(1);
  });

  test("when its first batch is old and no more are in the stream, not before", async () => {
    const old = Date.now() - 10_000;
    const backlog = [
      batch(1, old, 3),
      batch(2, old, 2),
      batch(3, old, 1),
      batch(4, old, 0),
      batch(5, old, 0),
    ];
    expect(seqs(await gather(feedOf(backlog), options({ objectMaxAgeMs: 5_000 })))).toEqual([1, 2, 3, 4]);
  });

  test("when its first batch grew old while it waited, whatever the broker's clock says", async () => {
    const tomorrow = Date.now() + 86_400_000;
    const group = await gather(
      feedOf([batch(1, tomorrow), batch(2, tomorrow)]),
      options({ objectMaxAgeMs: 100 }),
    );
    expect(seqs(group)).toEqual([1, 2]);
  });

  test("at the end of a UTC day, and the next one begins with the first batch of the new day", async () => {
    const feed = feedOf([
      batch(1, MIDNIGHT - 2),
      batch(2, MIDNIGHT - 1),
      batch(3, MIDNIGHT),
      batch(4, MIDNIGHT),
    ]);
    const group = await gather(feed, options());
    expect(seqs(group)).toEqual([1, 2]);
    const next = await gather(feed, options({ carried: group!.next, objectMaxBytes: 200 }));
    expect(seqs(next)).toEqual([3, 4]);
  });

  test("when all partitions together hold too much, if it has its share", async () => {
    const held = new HeldBytes(400, 2);
    held.add(350);
    const small = gather(feedOf([batch(1)]), options({ held, objectMaxAgeMs: 60 }));
    expect(seqs(await small)).toEqual([1]);
    held.release(100);
    const feed = feedOf([1, 2, 3, 4].map((seq) => batch(seq)));
    expect(seqs(await gather(feed, options({ held })))).toEqual([1, 2]);
    expect(held.used).toBe(550);
  });
});

describe("a group that was planned", () => {
  test("ends where the plan says, whatever its size, age and company", async () => {
    const old = Date.now() - 10_000;
    const feed = feedOf([1, 2, 3, 4].map((seq) => batch(seq, old, 0)));
    const limits = { objectMaxBytes: 100, objectMaxAgeMs: 10, plannedThrough: 3 };
    expect(await gather(feed, options(limits))).toMatchObject({ through: 3, bytes: 300 });
    expect(feed.left).toHaveLength(1);
  });

  test("accounts for the plan's whole range when its last batches are not in the stream any more", async () => {
    const group = await gather(feedOf([batch(1), batch(7)]), options({ plannedThrough: 5 }));
    expect(seqs(group)).toEqual([1]);
    expect(group).toMatchObject({ through: 5, next: { seq: 7 } });
    const none = await gather(feedOf([batch(9)]), options({ plannedThrough: 5 }));
    expect(none).toMatchObject({ batches: [], through: 5, next: { seq: 9 } });
  });
});

test("an abort ends it, and what it held is released", async () => {
  const stop = new AbortController();
  const held = new HeldBytes(1_000, 1);
  const gathering = gather(feedOf([batch(1), batch(2)]), options({ held, signal: stop.signal }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(held.used).toBe(200);
  stop.abort();
  expect(await gathering).toBeUndefined();
  expect(held.used).toBe(0);
});

test("so does a feed that ends", async () => {
  const held = new HeldBytes(1_000, 1);
  const batches = [batch(1)];
  const next = async () => {
    const one = batches.shift();
    if (one === undefined) throw new Error("the feed ended");
    return one;
  };
  await expect(gather({ next }, options({ held }))).rejects.toThrow("the feed ended");
  expect(held.used).toBe(0);
});
