import { Agent, request } from "node:http";
import { connect } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ServiceError, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import { partitionOf } from "../event/partition.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import { PARTITIONS, type WriteKey } from "./testing/fake-ingest.ts";
import { sendRaw, sendRequest, textField } from "./testing/raw.ts";
import { type Rig, startRig } from "./testing/rig.ts";

const { ACCEPTED, DUPLICATE, REJECTED } = EventStatus;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());
beforeEach(() => {
  rig.publisher.stored.length = 0;
});

const named = (...names: string[]) => names.map((name) => ({ name }));
const eventBytes = (name: string) => toBinary(EventSchema, create(EventSchema, { name }));

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await call.catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

describe.each(["grpc", "json"] as const)("over %s", (form) => {
  test("1,000 events are taken, each once, in order", async () => {
    const names = Array.from({ length: 1_000 }, (_, at) => `event ${at}`);
    const before = Date.now();
    const answer = await rig[form]().send({
      events: named(...names),
      sentTime: timestampFromMs(1_700_000_000_123),
    });
    expect([answer.accepted, answer.statuses.length]).toEqual([1_000, 1_000]);
    expect(rig.publisher.names()).toEqual(names);
    for (const row of rig.publisher.rows()) {
      expect(row.sentTime).toBe(1_700_000_000_123);
      expect(row.clientTime).toBe(row.receivedTime);
      expect(row.receivedTime).toBeGreaterThanOrEqual(before);
    }
  });

  test.each([
    [0, "0"],
    [1_001, "more than 1000"],
  ])("%i events are INVALID_ARGUMENT, and nothing is stored", async (count, told) => {
    const events = Array.from({ length: count }, () => ({ name: "x" }));
    const error = await failure(rig[form]().send({ events }));
    expect([error.code, error.rawMessage]).toEqual([
      Code.InvalidArgument,
      `events: ${told}, must be 1 to 1000`,
    ]);
    expect(rig.publisher.stored).toEqual([]);
  });

  test.each([
    ["", "authorization: expected `Bearer KEY`"],
    ["ffw_unknown", "authorization: unknown write key"],
  ])("with key %j: UNAUTHENTICATED", async (key, message) => {
    const error = await failure(rig[form](key as WriteKey).send({ events: named("x") }));
    expect([error.code, error.rawMessage]).toEqual([Code.Unauthenticated, message]);
    expect(error.message).not.toContain("ffw_unknown");
  });

  test("an event twice in a request is accepted once, and once a duplicate", async () => {
    const event = { name: "x", eventId: `twice over ${form}` };
    const answer = await rig[form]().send({ events: [event, { name: "other" }, event] });
    expect(answer.statuses).toEqual([ACCEPTED, ACCEPTED, DUPLICATE]);
    expect([answer.accepted, answer.duplicates, answer.rejected]).toEqual([2, 1, 0]);
    expect(rig.publisher.names()).toEqual(["x", "other"]);
  });

  test("a request sent again, also at the same time, stores nothing more", async () => {
    const events = [1, 2, 3].map((at) => ({ name: "x", eventId: `again over ${form} ${at}` }));
    const answers = await Promise.all([rig[form]().send({ events }), rig[form]().send({ events })]);
    expect(answers.map(({ accepted }) => accepted).sort()).toEqual([0, 3]);
    expect((await rig[form]().send({ events })).statuses).toEqual([DUPLICATE, DUPLICATE, DUPLICATE]);
    expect(rig.publisher.rows()).toHaveLength(3);
  });
});

test("the same event_id of two merchants is two events, each in its merchant's partition", async () => {
  const events = [{ name: "x", eventId: "shared" }];
  for (const key of ["ffw_one", "ffw_two"] as const) {
    expect((await rig.grpc(key).send({ events })).statuses).toEqual([ACCEPTED]);
  }
  expect(rig.publisher.rows().map(({ merchantId }) => merchantId)).toEqual([1, 2]);
  const partitions = rig.publisher.stored.map(({ partition }) => partition);
  expect(partitions).toEqual([partitionOf(1, PARTITIONS), partitionOf(2, PARTITIONS)]);
});

test("a sending time that no clock shows is as good as none", async () => {
  await rig.grpc().send({ events: named("x"), sentTime: { seconds: 2n ** 62n, nanos: 0 } });
  expect(rig.publisher.rows()[0]).not.toHaveProperty("sentTime");
});

test("a request of more than 8 MiB is refused as a whole: RESOURCE_EXHAUSTED", async () => {
  const event = Buffer.concat([eventBytes("x"), textField(7, "x".repeat(60_000))]);
  const large = sendRequest(Array.from({ length: 150 }, () => event));
  const error: unknown = await sendRaw(rig.port, large).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  // It will always be too large: gRPC's retry must not try again.
  expect((error as ServiceError).metadata.get("grpc-retry-pushback-ms")).toEqual(["-1"]);
  const body = JSON.stringify({ events: [{ name: "x".repeat(9 << 20) }] });
  expect(await sendJson(body)).toEqual([429, "resource_exhausted"]);
  expect(rig.publisher.stored).toEqual([]);
});

test("a connection that carried too large a request carries the next one", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const large = JSON.stringify({ events: [{ name: "x".repeat(10 << 20) }] });
  const small = JSON.stringify({ events: named("next") });
  // Each in pieces without a length, as a proxy sends it: the collector stops reading in the middle.
  const answers = [large, small, large, small].map((body) => post(agent, body));
  expect(await Promise.all(answers)).toEqual([429, 200, 429, 200]);
  agent.destroy();
});

/** HTTP status of a JSON request over an agent's connection, sent in chunks. */
function post(agent: Agent, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${testKey("ffw_one")}` };
    const path = "/footfall.collect.v1.CollectService/Send";
    const sent = request({ port: rig.port, path, method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.write(body);
    sent.end();
  });
}

describe("an event whose bytes are wrong does not spoil its request", () => {
  test.each([
    ["a length beyond the end", Buffer.from([0x12, 9, 0x61]), "MALFORMED"],
    ["an endless varint", Buffer.alloc(12, 0xff), "MALFORMED"],
    ["field number 0", Buffer.from([0, 0]), "MALFORMED"],
    ["2 MB of nothing", Buffer.alloc(2 << 20), "MALFORMED"],
  ])("%s", async (_, bad, reason) => {
    const answer = await sendRaw(rig.port, sendRequest([eventBytes("first"), bad, eventBytes("last")]));
    expect(answer.statuses).toEqual([ACCEPTED, REJECTED, ACCEPTED]);
    expect(answer.rejections.map(({ index, reason }) => [index, RejectReason[reason]])).toEqual([
      [1, reason],
    ]);
    expect(answer.rejections[0]!.message).toMatch(/^event: /);
    expect(rig.publisher.names()).toEqual(["first", "last"]);
  });

  test.each([
    ["invalid UTF-8", textField(2, Buffer.from([0xff, 0xfe]))],
    ["a cut character", textField(2, Buffer.from([0x61, 0xc3]))],
    ["an overlong form", textField(2, Buffer.from([0xc0, 0xaf]))],
    ["an encoded surrogate", textField(2, Buffer.from([0xed, 0xa0, 0x80]))],
    ["invalid UTF-8 in a property", textField(12, textField(2, textField(1, Buffer.from([0xff]))))],
  ])("nor is it refused for %s in a text", async (_, odd) => {
    const event = Buffer.concat([eventBytes("odd"), odd]);
    const answer = await sendRaw(rig.port, sendRequest([eventBytes("first"), event]));
    expect(answer.statuses).toEqual([ACCEPTED, ACCEPTED]);
    expect(answer.adjustments.map(({ index }) => index)).toContain(1);
    expect(rig.publisher.names()).toHaveLength(2);
  });

  test("whatever the bytes are", async () => {
    const garbage = fc.uint8Array({ maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const answer = await sendRaw(rig.port, sendRequest([eventBytes("first"), bytes, eventBytes("last")]));
        expect([answer.statuses[0], answer.statuses[2]]).toEqual([ACCEPTED, ACCEPTED]);
      }),
      { numRuns: 60 },
    );
  });
});

test.each(["\0\x01\x02\x03 garbage\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".padEnd(300, "?"), "GET"])(
  "garbage on the port (%j) harms nobody else",
  async (garbage) => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const socket = connect(rig.port, "127.0.0.1", () => socket.end(garbage, "latin1"));
    socket.on("error", () => {}).on("data", () => {});
    socket.on("close", () => resolve());
    const answer = await rig.grpc().send({ events: named("meanwhile") });
    await gone;
    expect(answer.accepted).toBe(1);
    expect((await rig.json().send({ events: named("after") })).accepted).toBe(1);
  },
);

test.each([
  ["no JSON", "{"],
  ["a field of another type", '{"events": 5}'],
])("%s is INVALID_ARGUMENT", async (_, body) => {
  expect(await sendJson(body)).toEqual([400, "invalid_argument"]);
});

/** HTTP status and Connect's code of a JSON request. */
async function sendJson(body: string): Promise<[number, string]> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${testKey("ffw_one")}` };
  const url = `${rig.url}/footfall.collect.v1.CollectService/Send`;
  const response = await fetch(url, { method: "POST", headers, body });
  return [response.status, ((await response.json()) as { code: string }).code];
}
