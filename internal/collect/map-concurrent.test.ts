import fc from "fast-check";
import { expect, test } from "vitest";
import { mapConcurrent } from "./map-concurrent.ts";

const never = new AbortController().signal;

async function* from<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
}

test("all results in order, and never more at work than the window", async () => {
  const delays = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 1, max: 8 }), async (delays, window) => {
      let atWork = 0;
      let most = 0;
      const work = async (at: number) => {
        most = Math.max(most, ++atWork);
        for (let turn = delays[at]!; turn > 0; turn--) await new Promise(setImmediate);
        atWork--;
        return at;
      };
      const items = delays.map((_, at) => at);
      expect(await collect(mapConcurrent(from(items), work, window, never))).toEqual(items);
      expect(most).toBeLessThanOrEqual(window);
    }),
    { numRuns: 60 },
  );
});

test("work goes on while a result waits to be taken, up to the window", async () => {
  const started: number[] = [];
  const first = Promise.withResolvers<number>();
  const work = (at: number) => {
    started.push(at);
    return at === 0 ? first.promise : Promise.resolve(at);
  };
  const results = mapConcurrent(from([0, 1, 2, 3, 4]), work, 3, never)[Symbol.asyncIterator]();
  const next = results.next();
  while (started.length < 3) await new Promise(setImmediate);
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  expect(started).toEqual([0, 1, 2]);
  first.resolve(0);
  expect((await next).value).toBe(0);
});

test("a failure of work is met in its turn", async () => {
  const work = (at: number) => (at === 1 ? Promise.reject(new Error("second")) : Promise.resolve(at));
  const results = mapConcurrent(from([0, 1, 2]), work, 3, never)[Symbol.asyncIterator]();
  expect((await results.next()).value).toBe(0);
  await expect(results.next()).rejects.toThrow("second");
});

test("when stopped it reads no more, and yields what is at work", async () => {
  const stop = new AbortController();
  const gate = Promise.withResolvers<void>();
  async function* endless() {
    yield "first";
    yield "second";
    await new Promise(() => {});
  }
  let started = 0;
  const work = async (item: string) => {
    started++;
    await gate.promise;
    return item;
  };
  const all = collect(mapConcurrent(endless(), work, 8, stop.signal));
  while (started < 2) await new Promise(setImmediate);
  stop.abort();
  gate.resolve();
  expect(await all).toEqual(["first", "second"]);
  expect(await collect(mapConcurrent(endless(), work, 8, stop.signal))).toEqual([]);
});

test("a source that fails ends it with the source's error", async () => {
  async function* broken() {
    yield 1;
    throw new Error("client went away");
  }
  await expect(collect(mapConcurrent(broken(), async (at) => at, 4, never))).rejects.toThrow(
    "client went away",
  );
});
