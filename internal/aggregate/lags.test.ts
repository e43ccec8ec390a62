import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRegistry, type Registry } from "../telemetry/metrics.ts";
import { Lags } from "./lags.ts";
import { aggregateMetrics } from "./metrics.ts";

/** A time of the broker's clock, ms. */
const T = Date.UTC(2026, 2, 29, 12);
const SECOND = 1_000;

let registry: Registry;
let lags: Lags;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  registry = createRegistry("test");
  lags = new Lags(aggregateMetrics(registry, 2), 2);
});
afterEach(() => void vi.useRealTimers());

const never = () => Promise.reject(new Error("asked"));
const at = (storedTime: number) => () => Promise.resolve(storedTime);

/** The end of a stream at a time; its first message is the first there ever was. */
const end = (lastSeq: number, time: number, lastTime = time) => {
  return { firstSeq: 1, firstTime: T, lastSeq, lastTime, time };
};

async function samples(): Promise<number[]> {
  const { values } = await registry.getSingleMetric("footfall_aggregator_lag_seconds")!.get();
  return values
    .toSorted((a, b) => Number(a.labels.partition) - Number(b.labels.partition))
    .map(({ value }) => value);
}

test("every partition has a sample from the start", async () => {
  expect(await samples()).toEqual([0, 0]);
});

test("what is not committed grows older, also while nobody can be asked, until it is committed", async () => {
  lags.committed(0, { seq: 3, storedTime: T + SECOND });
  await lags.streamEnds(0, end(4, T + 12 * SECOND, T + 10 * SECOND), never);
  expect(await samples()).toEqual([2, 0]);
  vi.advanceTimersByTime(60 * SECOND);
  expect(await samples()).toEqual([62, 0]);
  expect(lags.longest()).toBe(62 * SECOND);
  lags.committed(0, { seq: 4, storedTime: T + 10 * SECOND });
  await lags.streamEnds(0, end(4, T + 73 * SECOND, T + 10 * SECOND), never);
  expect(await samples()).toEqual([0, 0]);
});

test("a batch behind a long pause is not taken for as old as the one before it", async () => {
  lags.committed(0, { seq: 3, storedTime: T });
  await lags.streamEnds(0, end(3, T + 3_600 * SECOND, T), never);
  await lags.streamEnds(0, end(5, T + 3_601 * SECOND), never);
  expect((await samples())[0]).toBe(1);
});

test("of one that still waits at the second look the stream is asked, once", async () => {
  lags.committed(0, { seq: 3, storedTime: T });
  await lags.streamEnds(0, end(9, T + 100 * SECOND), never);
  expect((await samples())[0]).toBe(100);
  await lags.streamEnds(0, end(9, T + 101 * SECOND), at(T + 90 * SECOND));
  expect((await samples())[0]).toBe(11);
  await lags.streamEnds(0, end(12, T + 102 * SECOND), never);
  expect((await samples())[0]).toBe(12);
});

test("where the stream has dropped what was not committed, its first message is the oldest", async () => {
  lags.committed(1, { seq: 3, storedTime: T });
  const dropped = {
    firstSeq: 20,
    firstTime: T + 50 * SECOND,
    lastSeq: 30,
    lastTime: T,
    time: T + 60 * SECOND,
  };
  await lags.streamEnds(1, dropped, never);
  expect(await samples()).toEqual([0, 10]);
});
