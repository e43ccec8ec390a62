import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, test, vi } from "vitest";
import { testKey } from "../../../test/kit/keys.ts";
import { SdkClient } from "../../../test/kit/sdk-client.ts";
import { EventStatus, type StreamResponse } from "../../gen/footfall/collect/v1/collect_pb.js";
import type { WriteKey } from "../testing/fake-ingest.ts";
import { type Rig, type RigOptions, startRig } from "../testing/rig.ts";
import type { LimitName } from "./over-limit.ts";

const { ACCEPTED, UNAVAILABLE } = EventStatus;

let rig: Rig;
afterEach(() => rig?.close());

const named = (count: number) => Array.from({ length: count }, () => ({ name: "x" }));

interface Refusal {
  readonly code: string;
  readonly message: string;
  /** As each of the forms tells it, ms; undefined where absent. */
  readonly waits: readonly number[];
}

/** How a request of a merchant is refused over one of the protocols. @throws when it is not. */
async function refusal(form: "grpc" | "json", key: WriteKey, count = 1): Promise<Refusal> {
  const answer = await rig[form](key)
    .send({ events: named(count) })
    .catch((error: unknown) => ConnectError.from(error));
  if (!(answer instanceof ConnectError)) throw new Error("the request was answered");
  const number = (name: string) => Number(answer.metadata.get(name) ?? Number.NaN);
  const waits = [number("retry-after-ms"), number("grpc-retry-pushback-ms"), 1_000 * number("retry-after")];
  return { code: Code[answer.code], message: answer.rawMessage, waits };
}

/** Asserts a refusal that tells in every form how long to wait. @returns that time, ms. */
function expectExhausted({ code, message, waits }: Refusal, wanted: string | RegExp): number {
  expect([code, message]).toEqual(["ResourceExhausted", expect.stringMatching(wanted)]);
  const [wait, pushback, seconds] = waits as [number, number, number];
  expect(wait).toBeGreaterThan(0);
  expect(pushback).toBe(wait);
  expect(seconds).toBeGreaterThanOrEqual(wait);
  expect(seconds).toBeLessThan(wait + 1_000);
  return wait;
}

const limited = (limit: LimitName) => rig.count("footfall_collector_limited_requests_total", { limit });

/** The answers of a stream of requests; each is sent when the test lets it. */
function streamOf(key: WriteKey, counts: readonly number[], before: (at: number) => Promise<unknown>) {
  async function* requests() {
    for (const [at, count] of counts.entries()) {
      await before(at);
      yield { events: named(count), sequence: BigInt(at) };
    }
  }
  return rig.grpc(key).stream(requests());
}

/** 1,200 events each 3 s: long enough that a slow machine does not reach the next window by itself. */
const RATE = { merchantEventsPerSecond: 400, rateWindowSeconds: 3 };

async function start(options: RigOptions): Promise<void> {
  rig = await startRig(options);
  // The collector knows the keys: what follows is about limits.
  for (const key of ["ffw_one", "ffw_two"] as const) await rig.grpc(key).send({ events: named(1) });
  await vi.waitFor(() => expect(rig.collector.limits.requests).toBe(0));
}

describe.each(["grpc", "json"] as const)("over %s", (form) => {
  test("a merchant's events a second: refused until the window ends, then taken; others are not", async () => {
    await start(RATE);
    expect((await rig[form]().send({ events: named(900) })).accepted).toBe(900);
    const wait = expectExhausted(
      await refusal(form, "ffw_one", 400),
      "merchant 1: more than 400 events a second",
    );
    expect(wait).toBeLessThanOrEqual(3_300);
    expect((await rig[form]("ffw_two").send({ events: named(900) })).accepted).toBe(900);
    // Refused unread now: even one event is too many.
    expectExhausted(await refusal(form, "ffw_one"), "merchant 1: more than 400 events a second");
    await sleep(wait);
    expect((await rig[form]().send({ events: named(400) })).accepted).toBe(400);
    expect(await limited("merchant_rate")).toBe(2);
    expect(await rig.count("footfall_collector_limited_events_total", { limit: "merchant_rate" })).toBe(400);
    expect(rig.publisher.rows()).toHaveLength(2 + 900 + 900 + 400);
  });

  test("the largest request gets in, however small the limit", async () => {
    await start({ merchantEventsPerSecond: 100, rateWindowSeconds: 1 });
    expect((await rig[form]("ffw_quiet100").send({ events: named(1_000) })).accepted).toBe(1_000);
    const wait = expectExhausted(await refusal(form, "ffw_quiet100"), /more than 100 events a second/);
    expect(wait).toBeGreaterThan(5_000);
  });

  test("all merchants' events a second; who is refused for them has used up none of its own", async () => {
    await start({ ...RATE, eventsPerSecond: 400 });
    await rig[form]().send({ events: named(700) });
    const wait = expectExhausted(
      await refusal(form, "ffw_two", 700),
      "collector: more than 400 events a second",
    );
    await sleep(wait);
    expect((await rig[form]("ffw_two").send({ events: named(700) })).accepted).toBe(700);
    expect(await limited("rate")).toBe(1);
  });

  test("a merchant's requests in progress; another's get in", async () => {
    await start({ maxRequests: 8, merchantShare: 25 });
    const release = rig.publisher.hold();
    const first = [1, 2].map(() => rig[form]().send({ events: named(1) }));
    await vi.waitFor(() => expect(rig.collector.limits.requests).toBe(2));
    expectExhausted(await refusal(form, "ffw_one"), "merchant 1: too many requests are in progress already");
    const other = rig[form]("ffw_two").send({ events: named(1) });
    await vi.waitFor(() => expect(rig.collector.limits.requests).toBe(3));
    release();
    for (const answer of await Promise.all([...first, other])) expect(answer.accepted).toBe(1);
    await vi.waitFor(() => expect(rig.collector.limits.requests).toBe(0));
    expect((await rig[form]().send({ events: named(1) })).accepted).toBe(1);
    expect(await limited("merchant_requests")).toBe(1);
  });

  test("all merchants' requests in progress", async () => {
    await start({ maxRequests: 8 });
    const release = rig.publisher.hold();
    const first = Array.from({ length: 8 }, () => rig[form]().send({ events: named(1) }));
    await vi.waitFor(() => expect(rig.collector.limits.requests).toBe(8));
    expectExhausted(await refusal(form, "ffw_two"), "collector: 8 requests are in progress already");
    release();
    await Promise.all(first);
    expect(await limited("requests")).toBe(1);
  });

  test("a merchant's bytes that wait for ingest; another's get in", async () => {
    await start({ maxPendingBytes: 1_000, merchantShare: 25, compression: "none" });
    const release = rig.publisher.hold();
    const first = rig[form]().send({
      events: [{ name: "x", eventId: "e".repeat(64), url: "https://a.example/".padEnd(300, "x") }],
    });
    await vi.waitFor(() => expect(rig.collector.batcher.pendingBytes).toBeGreaterThan(300));
    const wait = expectExhausted(
      await refusal(form, "ffw_one"),
      "merchant 1: too many bytes wait for ingest already",
    );
    const other = rig[form]("ffw_two").send({ events: named(1) });
    await vi.waitFor(() => expect(rig.publisher.arrived).toHaveLength(4));
    release();
    expect([(await first).accepted, (await other).accepted]).toEqual([1, 1]);
    await sleep(wait);
    expect((await rig[form]().send({ events: named(1) })).accepted).toBe(1);
    expect(await limited("merchant_pending")).toBe(1);
  });

  test.each([
    [100, "memory", /^collector: \d+ bytes of requests are being read already$/],
    [25, "merchant_memory", "merchant 1: too many bytes of requests are being read already"],
  ] as const)("bytes that are being read, share %i", async (merchantShare, limit, message) => {
    await start({ maxReadingBytes: 100_000, merchantShare });
    const bytes = merchantShare === 100 ? 100_000 : 30_000;
    const upload = slowUpload("ffw_one", bytes);
    await vi.waitFor(() => expect(rig.collector.limits.readingBytes).toBeGreaterThanOrEqual(bytes));
    expectExhausted(await refusal(form, merchantShare === 100 ? "ffw_two" : "ffw_one"), message);
    expect(await limited(limit)).toBeGreaterThanOrEqual(1);
    upload.destroy();
    await vi.waitFor(() => expect(rig.collector.limits.readingBytes).toBe(0));
    expect((await rig[form]().send({ events: named(1) })).accepted).toBe(1);
  });
});

/** A request that never comes in whole. */
function slowUpload(key: WriteKey, bytes: number) {
  const path = "/footfall.collect.v1.CollectService/Send";
  const headers = { "content-type": "application/json", authorization: `Bearer ${testKey(key)}` };
  const upload = httpRequest({ port: rig.port, path, method: "POST", headers });
  upload.on("error", () => {});
  upload.write(`{"events":[{"name":"${"x".repeat(bytes)}`);
  return upload;
}

describe("refused work counts in the merchant's rate", () => {
  const post = (body: Uint8Array, type = "application/proto") =>
    fetch(`${rig.url}/footfall.collect.v1.CollectService/Send`, {
      method: "POST",
      headers: {
        "content-type": type,
        "content-encoding": "gzip",
        authorization: `Bearer ${testKey("ffw_one")}`,
      },
      body: gzipSync(body),
    }).then(({ status }) => status);

  // 1,200 events each 3 s, of which one is used up: 1 MiB counts as 1,024.
  test.each([
    ["a request that is no message", Buffer.alloc(1 << 20, 0xff), "application/proto", 400],
    ["too many events", Buffer.alloc(1 << 20, Buffer.from([0x0a, 0])), "application/proto", 400],
    ["no JSON", Buffer.alloc(1 << 20, "["), "application/json", 400],
    [
      "one refused event of 1 MiB",
      Buffer.from(`{"events":[{"url":"${"x".repeat(1 << 20)}"}]}`),
      "application/json",
      200,
    ],
  ])("%s, by its bytes when they are inflated", async (_, body, type, status) => {
    await start(RATE);
    expect(await post(body, type)).toBe(status);
    expectExhausted(await refusal("grpc", "ffw_one", 300), "merchant 1: more than 400 events a second");
    expect((await rig.grpc("ffw_two").send({ events: named(1) })).accepted).toBe(1);
  });

  test("events that are all refused", async () => {
    await start(RATE);
    const nameless = Array.from({ length: 1_000 }, () => ({ name: "" }));
    expect((await rig.grpc().send({ events: nameless })).rejected).toBe(1_000);
    expectExhausted(await refusal("grpc", "ffw_one", 300), "merchant 1: more than 400 events a second");
  });
});

describe("on a stream", () => {
  test("a request over the rate is UNAVAILABLE with the time to wait, and the stream goes on", async () => {
    await start(RATE);
    const answers: StreamResponse[] = [];
    let wait = 0;
    const before = async (at: number) => {
      await vi.waitFor(() => expect(answers).toHaveLength(at));
      if (at === 2) {
        wait = durationMs(answers[1]!.retryAfter!);
        await sleep(wait);
      }
    };
    for await (const answer of streamOf("ffw_one", [900, 400, 400], before)) answers.push(answer);
    expect(answers.map(({ statuses }) => statuses[0])).toEqual([ACCEPTED, UNAVAILABLE, ACCEPTED]);
    expect(answers[1]!.statuses).toHaveLength(400);
    expect(answers[0]!.retryAfter).toBeUndefined();
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(3_300);
    expect(rig.publisher.rows()).toHaveLength(2 + 900 + 400);
  });

  test("requests on many streams of one merchant do not keep another out", async () => {
    await start({ maxRequests: 40, merchantShare: 25 });
    const release = rig.publisher.hold();
    // Four streams, and forty requests on them: there is room for ten, streams included.
    const opened = () => vi.waitFor(() => expect(rig.collector.limits.requests).toBeGreaterThanOrEqual(4));
    // An eleventh request keeps each stream open until the others are answered.
    const { promise: done, resolve: end } = Promise.withResolvers<void>();
    const counts = Array.from({ length: 11 }, () => 1);
    const statuses: EventStatus[] = [];
    const streams = [1, 2, 3, 4].map(async () => {
      const before = (at: number) => (at < 10 ? opened() : done);
      for await (const answer of streamOf("ffw_one", counts, before)) statuses.push(...answer.statuses);
    });
    await vi.waitFor(() => expect(rig.collector.limits.requests).toBe(10));
    const other = rig.grpc("ffw_two").send({ events: named(1) });
    await vi.waitFor(() => expect(rig.collector.limits.requests).toBe(11));
    release();
    expect((await other).accepted).toBe(1);
    await vi.waitFor(() => expect(statuses).toHaveLength(40));
    // Places were free again before all forty had come, or not: at least the first six were taken.
    const taken = statuses.filter((status) => status === ACCEPTED).length;
    expect(taken).toBeGreaterThanOrEqual(6);
    expect(statuses.filter((status) => status === UNAVAILABLE)).toHaveLength(40 - taken);
    expect(rig.publisher.rows().filter(({ merchantId }) => merchantId === 1)).toHaveLength(1 + taken);
    end();
    await Promise.all(streams);
  });
});

test("a gRPC client with a retry policy obeys the time to wait by itself", async () => {
  await start(RATE);
  const client = new SdkClient([rig.url], testKey("ffw_one"));
  try {
    for (let at = 0; at < 2; at++) await client.send(named(700));
  } finally {
    client.close();
  }
  expect(rig.publisher.rows()).toHaveLength(2 + 1_400);
  // Refused once, and not again: it did not come back too early.
  expect(await limited("merchant_rate")).toBe(1);
});

test("one merchant at 13 times its limit does not delay ten quiet ones", async () => {
  await start({ merchantEventsPerSecond: 1_000, rateWindowSeconds: 1, merchantShare: 25 });
  const stop = new AbortController();
  let tried = 0;
  const hot = (async () => {
    const started = performance.now();
    const under: Promise<unknown>[] = [];
    while (!stop.signal.aborted) {
      // 13,000 events a second, in requests of 100, whatever becomes of them.
      for (; tried < ((performance.now() - started) / 1_000) * 130; tried++)
        under.push(
          rig
            .grpc("ffw_one")
            .send({ events: named(100) })
            .catch(() => {}),
        );
      await sleep(10);
    }
    await Promise.all(under);
  })();
  const quiet = Array.from({ length: 10 }, (_, at) => quietMerchant(`ffw_quiet${100 + at}`));
  const latencies = (await Promise.all(quiet)).flat().toSorted((a, b) => a - b);
  stop.abort();
  await hot;
  expect(latencies).toHaveLength(10 * 20);
  // Far above what it takes (some ms), far below what waiting behind the hot merchant would.
  expect(latencies[Math.floor(latencies.length * 0.9)]).toBeLessThan(3_000);
  const rows = rig.publisher.rows();
  expect(rows.filter(({ merchantId }) => merchantId >= 100)).toHaveLength(10 * 20 * 5);
  expect(rows.filter(({ merchantId }) => merchantId === 1).length).toBeLessThan(tried * 100);
  expect(await limited("merchant_rate")).toBeGreaterThan(0);
});

/** Twenty requests of five events, one each 100 ms; none may be refused. @returns how long each took, ms. */
async function quietMerchant(key: WriteKey): Promise<number[]> {
  const client = rig.grpc(key);
  const latencies: number[] = [];
  for (let at = 0; at < 20; at++) {
    const started = performance.now();
    expect((await client.send({ events: named(5) })).accepted).toBe(5);
    latencies.push(performance.now() - started);
    await sleep(100);
  }
  return latencies;
}
