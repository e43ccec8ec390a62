import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { StreamBatch } from "../stream/partition-feed.ts";
import { Groups } from "./groups.ts";
import type { ReadBatch } from "./prepare.ts";

const NEVER = new AbortController().signal;

/** Groups of at most 100 rows over a feed that gives what was put into it; every batch has 40 rows. */
function feeding() {
  const queue: number[] = [];
  const prepared: number[] = [];
  const state = { ended: false };
  const next = async (waitMs: number, signal?: AbortSignal) => {
    const until = performance.now() + waitMs;
    for (;;) {
      const seq = queue.shift();
      if (seq !== undefined) return { seq } as StreamBatch;
      if (state.ended) throw new Error("the feed ended");
      if (signal?.aborted || performance.now() >= until) return undefined;
      await sleep(1);
    }
  };
  const groups = new Groups({
    feed: { next },
    read: (message) => ({ message, sealed: { rows: 40 } }) as ReadBatch,
    prepareAhead: async ({ message }) => void prepared.push(message.seq),
    maxRows: 100,
  });
  const group = async () => (await groups.next(20, NEVER)).map(({ message }) => message.seq);
  return { queue, prepared, state, groups, group };
}

test("batches come in order and once, up to the most rows, whether they were read ahead or not", async () => {
  const { queue, groups, group } = feeding();
  queue.push(1, 2, 3, 4, 5, 6);
  expect(await group()).toEqual([1, 2]);
  groups.readAhead();
  await sleep(20);
  queue.push(7);
  expect(await group()).toEqual([3, 4]);
  expect(await group()).toEqual([5, 6]);
  expect(await group()).toEqual([7]);
  expect(await group()).toEqual([]);
});

test("while a group is committed, what comes for the next is prepared, a group's rows at most", async () => {
  const { queue, prepared, groups, group } = feeding();
  queue.push(1);
  await group();
  groups.readAhead();
  await sleep(10);
  queue.push(2, 3, 4, 5, 6, 7);
  await sleep(50);
  expect(prepared).toEqual([2, 3, 4]);
  expect(queue).toEqual([5, 6, 7]);
  expect(await group()).toEqual([2, 3]);
});

test("a batch that comes alone is not waited with: reading ahead ends when the next group is asked for", async () => {
  const { queue, groups, group } = feeding();
  groups.readAhead();
  await sleep(5);
  const asked = performance.now();
  expect(await group()).toEqual([]);
  expect(performance.now() - asked).toBeLessThan(1_000);
  queue.push(1);
  expect(await group()).toEqual([1]);
});

test("a feed that ends while it is read ahead: the next group says so, a new feed has its batches", async () => {
  const { queue, state, groups, group } = feeding();
  queue.push(1, 2);
  state.ended = true;
  groups.readAhead();
  await sleep(20);
  await expect(group()).rejects.toThrow("the feed ended");
});
