import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Failure } from "../failure/failure.ts";
import { LookupCache } from "./lookup-cache.ts";

const FRESH_MS = 10_000;
const key = (text: string) => Buffer.from(text);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A source that counts what it is asked, and can be away. */
class Source {
  readonly asked: string[] = [];
  readonly values = new Map<string, string>();
  away = false;
  /** What every answer waits for. */
  slow: Promise<void> | undefined;

  readonly find = async (asked: Uint8Array) => {
    const name = Buffer.from(asked).toString();
    this.asked.push(name);
    if (this.away) throw new Error("connection refused");
    await this.slow;
    return this.values.get(name);
  };
}

function cacheOf(source: Source, capacity = 100, patienceMs?: number): LookupCache<string> {
  const patience = patienceMs === undefined ? {} : { patienceMs };
  return new LookupCache(source.find, { name: "write key", freshMs: FRESH_MS, capacity, ...patience });
}

function sourceOf(...names: string[]): Source {
  const source = new Source();
  for (const name of names) source.values.set(name, `value of ${name}`);
  return source;
}

test("a value is asked for once while it is fresh, and again after that", async () => {
  const source = sourceOf("a");
  const cache = cacheOf(source);
  const readTime = Date.now();
  expect(await cache.get(key("a"))).toEqual({ value: "value of a", readTime });
  vi.advanceTimersByTime(FRESH_MS - 1);
  expect((await cache.get(key("a"))).readTime).toBe(readTime);
  expect(source.asked).toEqual(["a"]);
  vi.advanceTimersByTime(1);
  source.values.set("a", "changed");
  expect(await cache.get(key("a"))).toEqual({ value: "changed", readTime: readTime + FRESH_MS });
  expect(source.asked).toEqual(["a", "a"]);
});

test("many callers of one key ask once; other keys are asked for by themselves", async () => {
  const source = sourceOf("a", "b");
  const cache = cacheOf(source);
  const found = await Promise.all(["a", "a", "b", "a", "b"].map((name) => cache.get(key(name))));
  expect(found.map(({ value }) => value.at(-1))).toEqual(["a", "a", "b", "a", "b"]);
  expect(source.asked).toEqual(["a", "b"]);
});

test("while the source is away a known value goes on being used, with the time at which it was read", async () => {
  const source = sourceOf("a");
  const cache = cacheOf(source);
  const { readTime } = await cache.get(key("a"));
  source.away = true;
  vi.advanceTimersByTime(1_000 * FRESH_MS);
  expect(await cache.get(key("a"))).toEqual({ value: "value of a", readTime });
  source.away = false;
  expect((await cache.get(key("a"))).readTime).toBe(Date.now());
});

test("while the source is away a new key is unavailable, for every caller, and is asked for again", async () => {
  const source = sourceOf("a");
  source.away = true;
  const cache = cacheOf(source);
  const calls = await Promise.allSettled([cache.get(key("a")), cache.get(key("a"))]);
  for (const call of calls) {
    expect(call).toMatchObject({
      status: "rejected",
      reason: {
        kind: "unavailable",
        message: "write key: cannot be looked up now",
        retryAfterMs: 1_000,
        cause: { message: "connection refused" },
      },
    });
  }
  expect(source.asked).toEqual(["a"]);
  source.away = false;
  expect((await cache.get(key("a"))).value).toBe("value of a");
});

test("an absent key is asked for again after a second: it may just have been made", async () => {
  const source = sourceOf();
  const cache = cacheOf(source);
  const absent = { kind: "not_found", message: "write key: unknown or revoked" };
  await expect(cache.get(key("a"))).rejects.toMatchObject(absent);
  vi.advanceTimersByTime(999);
  await expect(cache.get(key("a"))).rejects.toMatchObject(absent);
  expect(source.asked).toEqual(["a"]);
  source.values.set("a", "made");
  vi.advanceTimersByTime(1);
  expect((await cache.get(key("a"))).value).toBe("made");
});

test("a value that was revoked is unknown once the source says so", async () => {
  const source = sourceOf("a");
  const cache = cacheOf(source);
  await cache.get(key("a"));
  source.values.delete("a");
  vi.advanceTimersByTime(FRESH_MS);
  await expect(cache.get(key("a"))).rejects.toMatchObject({ kind: "not_found" });
  source.away = true;
  vi.advanceTimersByTime(FRESH_MS);
  await expect(cache.get(key("a"))).rejects.toMatchObject({ kind: "unavailable" });
});

test("beyond its capacity it forgets what was read longest ago", async () => {
  const source = sourceOf("a", "b", "c");
  const cache = cacheOf(source, 2);
  for (const name of ["a", "b", "c", "b", "c"]) await cache.get(key(name));
  expect(source.asked).toEqual(["a", "b", "c"]);
  await cache.get(key("a"));
  expect(source.asked).toEqual(["a", "b", "c", "a"]);
});

test("a value that was read again is not the one read longest ago", async () => {
  const source = sourceOf("a", "b", "c");
  const cache = cacheOf(source, 2);
  for (const name of ["a", "b"]) await cache.get(key(name));
  vi.advanceTimersByTime(FRESH_MS);
  for (const name of ["a", "c", "a"]) await cache.get(key(name));
  expect(source.asked).toEqual(["a", "b", "a", "c"]);
});

test("a source that does not answer holds a known value up for its patience only, a new one until it answers", async () => {
  const source = sourceOf("a", "b");
  const cache = cacheOf(source, 100, 250);
  const readTime = Date.now();
  await cache.get(key("a"));
  vi.advanceTimersByTime(FRESH_MS);
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  source.slow = answered;
  source.values.set("a", "changed");
  const known = cache.get(key("a"));
  let isNewKnown = false;
  const unknown = cache.get(key("b")).then(() => {
    isNewKnown = true;
  });
  await vi.advanceTimersByTimeAsync(250);
  expect(await known).toEqual({ value: "value of a", readTime });
  expect(isNewKnown).toBe(false);
  answer();
  await unknown;
  expect((await cache.get(key("a"))).value).toBe("changed");
  expect(source.asked).toEqual(["a", "a", "b"]);
});

test("keys are told apart by all their bytes", async () => {
  const found = new LookupCache(async (bytes) => Buffer.from(bytes).toString("hex"), {
    name: "key",
    freshMs: FRESH_MS,
    capacity: 10,
  });
  const keys = [[], [0], [0, 0], [0xff], [0xfe], [0xef, 0xbf, 0xbd]].map((bytes) => Buffer.from(bytes));
  for (const one of keys) expect((await found.get(one)).value).toBe(one.toString("hex"));
});

test("any number of absent keys pushes no value out", async () => {
  const source = sourceOf("a", "b");
  const cache = cacheOf(source, 2);
  const values = [await cache.get(key("a")), await cache.get(key("b"))];
  for (let at = 0; at < 20_000; at++) {
    await cache.get(key(`unknown ${at}`)).catch(() => {});
  }
  source.away = true;
  vi.advanceTimersByTime(FRESH_MS);
  expect([await cache.get(key("a")), await cache.get(key("b"))]).toEqual(values);
});

test("look-ups of absent keys hold up no known one, and each has its turn", async () => {
  const source = sourceOf("a");
  const cache = cacheOf(source);
  await cache.get(key("a"));
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  source.slow = answered;
  const unknown = Array.from({ length: 20_000 }, (_, at) => cache.get(key(`unknown ${at}`)));
  const outcomes = Promise.allSettled(unknown);
  await vi.advanceTimersByTimeAsync(FRESH_MS);
  // Far fewer than came are with the source; a value's own turn does not come behind them.
  expect(source.asked.length).toBeLessThan(200);
  const known = cache.get(key("a"));
  await vi.advanceTimersByTimeAsync(0);
  expect(source.asked.at(-1)).toBe("a");
  answer();
  expect((await known).value).toBe("value of a");
  const kinds = (await outcomes).map((one) => (one as PromiseRejectedResult).reason.kind as string);
  expect(new Set(kinds)).toEqual(new Set(["not_found", "unavailable"]));
  expect(kinds.slice(0, 10_000).every((kind) => kind === "not_found")).toBe(true);
});

test("an asker over its tries has no new key looked up, and goes on with those that are known", async () => {
  const source = sourceOf("a", "b");
  const cache = cacheOf(source);
  await cache.get(key("a"));
  let failures = 0;
  const asker = {
    mayAsk() {
      if (failures >= 2) throw new Failure("exhausted", "too many");
    },
    failed() {
      failures += 1;
    },
  };
  for (const name of ["x", "x", "y"]) {
    await expect(cache.get(key(name), asker)).rejects.toMatchObject({ kind: "not_found" });
  }
  await expect(cache.get(key("z"), asker)).rejects.toMatchObject({ kind: "exhausted" });
  expect((await cache.get(key("a"), asker)).value).toBe("value of a");
  expect((await cache.get(key("b"))).value).toBe("value of b");
  expect(source.asked).toEqual(["a", "x", "y", "b"]);
});
