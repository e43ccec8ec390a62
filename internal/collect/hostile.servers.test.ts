import { once } from "node:events";
import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import type { Taken } from "./testing/hold.ts";
import { type Measured, startMeasured } from "./testing/measured.ts";
import { sendRequest, textField } from "./testing/raw.ts";

/** Longest that any request may hold up the event loop, ms of CPU time. */
const MOST_MS = 20;

/** Most memory of a request beside the heap's own garbage, as a multiple of its bytes when they are inflated. */
const MULTIPLE = 4;
const GARBAGE_BYTES = 48 << 20;

const MIB = 1 << 20;

let collector: Measured;
beforeAll(async () => {
  collector = await startMeasured();
  // What the engine compiles at first is no request's doing.
  for (let turn = 0; turn < 20; turn++) {
    await post("json", Buffer.from(`{"events":[${'{"name":"a"},'.repeat(99)}{"name":"a"}]}`));
    await post("proto", sendRequest(Array.from({ length: 100 }, () => textField(2, "a"))));
  }
});
afterAll(() => collector?.close());

type Form = "json" | "proto";

async function post(form: Form, body: Uint8Array): Promise<[status: number, text: string]> {
  const response = await fetch(`${collector.url}/footfall.collect.v1.CollectService/Send`, {
    method: "POST",
    headers: {
      "content-type": `application/${form}`,
      "content-encoding": "gzip",
      authorization: `Bearer ${testKey("ffw_one")}`,
    },
    body: gzipSync(body),
  });
  return [response.status, await response.text()];
}

const filled = (size: number, unit: string | Buffer) => Buffer.alloc(size, unit);
const json = (events: string) => Buffer.from(`{"events":[${events}]}`);
/** As many as have room in 8 MiB. */
const many = (one: string, join = ",") =>
  one + (join + one).repeat(Math.floor((8 * MIB - 100) / (one.length + join.length)) - 1);

const HOSTILE: [name: string, form: Form, body: () => Uint8Array, status: number][] = [
  ["millions of empty events", "json", () => json(many("{}")), 400],
  ["millions of empty events", "proto", () => filled(8 * MIB, Buffer.from([0x0a, 0])), 400],
  [
    "an event of millions of empty objects",
    "json",
    () => json(`{"name":"a","properties":{"a":[${many("{}")}]}}`),
    200,
  ],
  [
    "refused events of 32,000 empty properties",
    "proto",
    () => sendRequest(Array.from({ length: 129 }, () => filled(64_000, Buffer.from([0x62, 0])))),
    200,
  ],
  [
    "refused events of 32,000 empty items",
    "proto",
    () => sendRequest(Array.from({ length: 129 }, () => filled(64_000, Buffer.from([0x72, 0])))),
    200,
  ],
  ["unknown fields", "proto", () => filled(8 * MIB, Buffer.from([0x28, 0])), 400],
  ["a sending time that comes a million times", "proto", () => filled(8 * MIB, Buffer.from([0x12, 0])), 400],
  [
    "a group of a million fields",
    "proto",
    () => Buffer.concat([Buffer.from([0x2b]), filled(8 * MIB - 2, Buffer.from([0x28, 0]))]),
    400,
  ],
  [
    "an order that comes a million times",
    "proto",
    () => sendRequest([filled(8 * MIB - 16, Buffer.from([0x6a, 0]))]),
    200,
  ],
  ["nothing but white space", "json", () => filled(8 * MIB, " "), 400],
  ["lists in lists", "json", () => json(filled(8 * MIB - 20, "[").toString()), 400],
  ["a text of 8 MiB", "json", () => json(`{"name":"${"x".repeat(8 * MIB - 40)}"}`), 200],
  ["escapes", "json", () => json(`{"name":"${many("\\u00e9", "")}"}`.slice(0)), 200],
  ["a name of two-byte characters", "json", () => json(`{"name":"${"é".repeat(4 * MIB - 40)}"}`), 200],
  [
    "an id of 8 MiB",
    "proto",
    () => sendRequest([Buffer.concat([textField(2, "a"), textField(1, "x".repeat(8 * MIB - 40))])]),
    200,
  ],
  ["members", "json", () => Buffer.from(`{${many('"a":1')}}`), 400],
];

/** Tries of a request: the machine may be at something else in one of them, the request is the same in all. */
const TRIES = 3;

test.each(HOSTILE)(
  "%s, in %s, are refused or taken without holding others up",
  async (_, form, make, status) => {
    const body = make();
    let answer: [number, string] = [0, ""];
    let best: Taken = { holdMs: Number.POSITIVE_INFINITY, cpuMs: 0, peakBytes: 0 };
    for (let turn = 0; turn < TRIES && best.holdMs >= MOST_MS; turn++) {
      const taken = await collector.measure(async () => {
        answer = await post(form, body);
      });
      if (taken.holdMs < best.holdMs) best = taken;
    }
    expect(answer[0]).toBe(status);
    expect(best.holdMs).toBeLessThan(MOST_MS);
    expect(best.peakBytes).toBeLessThan(MULTIPLE * body.length + GARBAGE_BYTES);
  },
);

test("100,000 messages of nothing on one stream hold nobody up", async () => {
  const frames = Buffer.alloc(500_000);
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < TRIES && best >= MOST_MS; turn++) {
    const { holdMs } = await collector.measure(() => stream(frames));
    best = Math.min(best, holdMs);
  }
  expect(best).toBeLessThan(MOST_MS);
});

/** Sends bytes on a stream over gRPC and reads all answers. */
async function stream(frames: Buffer): Promise<void> {
  const session = connect(collector.url);
  const call = session.request({
    ":method": "POST",
    ":path": "/footfall.collect.v1.CollectService/Stream",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${testKey("ffw_one")}`,
  });
  call.end(frames);
  call.resume();
  await once(call, "close");
  session.close();
}
