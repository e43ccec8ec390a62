import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import {
  AdjustmentKind,
  CollectService,
  RejectReason,
  SendResponseSchema,
} from "../gen/footfall/collect/v1/collect_pb.js";
import { type Rig, startRig } from "./testing/rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());
beforeEach(() => {
  rig.publisher.stored.length = 0;
});

const JSON_TYPE = { "content-type": "application/json", authorization: `Bearer ${testKey("ffw_one")}` };

async function post(body: string, headers: Record<string, string> = JSON_TYPE) {
  const url = `${rig.url}/footfall.collect.v1.CollectService/Send`;
  const response = await fetch(url, { method: "POST", headers, body });
  return { status: response.status, body: (await response.json()) as JsonValue };
}

async function accepted(body: string, headers?: Record<string, string>) {
  const { status, body: answer } = await post(body, headers);
  expect(status).toBe(200);
  return fromJson(SendResponseSchema, answer);
}

const around = (event: string) => `{"events":[{"name":"first"},${event},{"name":"last"}]}`;

describe("one wrong value costs at most its own event", () => {
  test.each([
    ["half an emoji", '{"name":"b","properties":{"title":"Sale \\ud83d"}}'],
    ["half an emoji in the name", '{"name":"\\ud83d"}'],
    [
      "numbers, booleans and null among properties",
      '{"name":"b","properties":{"price":12.5,"member":true,"ref":null}}',
    ],
    ["an epoch time", `{"name":"b","clientTime":${Math.floor(Date.now() / 1_000)}}`],
    ["a name that comes twice", '{"name":"a","name":"b"}'],
    ["a field under both of its names", '{"name":"b","visitorId":"v","visitor_id":"v"}'],
    ["a fraction of an item", '{"name":"b","items":[{"id":"cloth","quantity":2.5}]}'],
    ["a text where a list is due", '{"name":"b","items":"none"}'],
  ])("%s: the event is taken", async (_, event) => {
    const answer = await accepted(around(event));
    expect([answer.accepted, answer.rejected]).toEqual([3, 0]);
    expect(rig.publisher.names()).toHaveLength(3);
  });

  test("2.5 m of cloth are 2.5 m", async () => {
    await accepted('{"events":[{"name":"b","items":[{"id":"cloth","quantity":2.5}]}]}');
    expect(rig.publisher.rows()[0]?.items).toMatchObject([{ id: "cloth", quantityMicros: 2_500_000n }]);
  });

  test.each([
    ["a time without zone", '{"name":"b","clientTime":"2026-11-29 10:00:00"}', "INVALID_TIME"],
    ["a list", "[]", "MALFORMED"],
    ["null", "null", "MALFORMED"],
    ["a number", "5", "MALFORMED"],
    ["an amount that is none", '{"name":"b","order":{"id":"o","revenueMicros":"free"}}', "INVALID_AMOUNT"],
    ["an order without id", '{"name":"b","order":{"id":null}}', "ORDER_ID_MISSING"],
  ])("%s: the event is refused alone", async (_, event, reason) => {
    const { rejections, accepted: count } = await accepted(around(event));
    expect(count).toBe(2);
    expect(rejections.map(({ index, reason }) => [index, RejectReason[reason]])).toEqual([[1, reason]]);
    expect(rig.publisher.names()).toEqual(["first", "last"]);
  });

  test("what was changed is told, in the reader of JSON and behind it", async () => {
    const { adjustments } = await accepted('{"events":[{"name":"a","url":"/x","screen":"wide"}]}');
    expect(adjustments.map(({ field, kind }) => `${field} ${AdjustmentKind[kind]}`)).toEqual([
      "screen DROPPED",
      "url DROPPED",
    ]);
  });
});

test("JSON over gRPC is read in the same way, a stream's too", async () => {
  const transport = createGrpcTransport({ baseUrl: rig.url, useBinaryFormat: false });
  const headers = { authorization: `Bearer ${testKey("ffw_one")}` };
  const client = createClient(CollectService, transport);
  const events = [{ name: "a", url: "/x" }, { name: "" }, { name: "b" }];
  const answer = await client.send({ events }, { headers });
  expect([answer.accepted, answer.rejected, answer.adjustments.length]).toEqual([2, 1, 1]);
  const request = { events, sequence: 7n };
  for await (const answer of client.stream(once(request), { headers })) {
    expect([answer.accepted, answer.rejected, answer.sequence]).toEqual([2, 1, 7n]);
  }
  expect(rig.publisher.names()).toEqual(["a", "b", "a", "b"]);
});

async function* once<T>(value: T): AsyncIterable<T> {
  yield value;
}

test.each([
  ["no JSON", "{"],
  ["nothing", ""],
  ["a list", "[]"],
  ["events that are no list", '{"events":{"name":"a"}}'],
  ["no events", "{}"],
])("a request of %s is INVALID_ARGUMENT", async (_, body) => {
  expect(await post(body)).toMatchObject({ status: 400, body: { code: "invalid_argument" } });
});

describe("a beacon", () => {
  const beacon = (type = "text/plain;charset=UTF-8") => ({ "content-type": type });
  const body = (key: unknown, events: unknown = [{ name: "left" }]) =>
    JSON.stringify({ key: typeof key === "string" && key.startsWith("ffw_") ? testKey(key) : key, events });

  test.each(["text/plain;charset=UTF-8", "text/plain", 'Text/Plain; charset="utf-8"', "application/json"])(
    "of %s has its key in its body",
    async (type) => {
      expect(await accepted(body("ffw_one"), beacon(type))).toMatchObject({ accepted: 1 });
      expect(rig.publisher.rows()).toMatchObject([{ merchantId: 1, name: "left" }]);
    },
  );

  test("may have its key in a header all the same, which goes first", async () => {
    const headers = { ...beacon(), authorization: `Bearer ${testKey("ffw_two")}` };
    expect(await accepted(body("ffw_one"), headers)).toMatchObject({ accepted: 1 });
    expect(rig.publisher.rows()).toMatchObject([{ merchantId: 2 }]);
  });

  test.each([undefined, "", 5, "ffw_unknown", "a\nb", "x".repeat(300)])(
    "with the key %j is refused without quoting it",
    async (key) => {
      const answer = await post(body(key), beacon());
      expect(answer).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
      expect(JSON.stringify(answer.body)).not.toMatch(/ffw_|xxx/);
    },
  );

  test("of more than 64 KiB is not read on to find its key", async () => {
    const large = body("ffw_one", [{ name: "a", properties: { a: "x".repeat(70_000) } }]);
    expect((await post(large, beacon())).status).toBe(401);
    expect((await post(large, { ...beacon(), authorization: `Bearer ${testKey("ffw_one")}` })).status).toBe(
      200,
    );
  });

  test("keeps nothing of the room that it was read in", async () => {
    await post(body("ffw_unknown"), beacon());
    await post("{", beacon());
    await post(body("ffw_one"), beacon());
    const { requests, readingBytes } = rig.collector.limits;
    expect([requests, readingBytes]).toEqual([0, 0]);
  });
});
