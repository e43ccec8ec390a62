import { connect } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  AdjustmentKind,
  EventStatus,
  RejectReason,
} from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import type { EventSchema } from "../../internal/gen/footfall/event/v1/event_pb.js";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import { createTestMerchant, startTestInstallation, type TestInstallation } from "../kit/installation.ts";
import {
  bearer,
  type CollectClient,
  collectClient,
  grpcQueryClient,
  postJson,
  postProto,
  refusedCall,
} from "../kit/installation-clients.ts";
import { storedRows } from "../kit/installation-recount.ts";
import { reportTotals, waitUntilReported } from "../kit/installation-reports.ts";
import { testKey } from "../kit/keys.ts";

type Event = MessageInitShape<typeof EventSchema>;

const DAY_MS = 86_400_000;
const SEND = "footfall.collect.v1.CollectService/Send";
const RUN_REPORT = "footfall.query.v1.QueryService/RunReport";

let footfall: TestInstallation;
let merchant: CreatedMerchant;
let client: CollectClient;
/** Good events that were accepted so far: what the report must show at the end, and nothing else. */
let good = 0;
beforeAll(async () => {
  footfall = await startTestInstallation();
  merchant = await createTestMerchant(footfall.pool, { retentionDays: 90 });
  client = collectClient(footfall.collectorUrl);
});
afterAll(() => footfall?.close());

const at = (ms: number) => ({ clientTime: timestampFromMs(Date.now() + ms) });
const order = (fields: object) => ({ order: { id: "o-1", currency: "EUR", revenueMicros: 1n, ...fields } });

const BAD: [name: string, event: Event, reason: RejectReason, message: RegExp][] = [
  ["without a name", { name: "" }, RejectReason.NAME_MISSING, /^name: /],
  ["older than the retention", at(-91 * DAY_MS), RejectReason.TIME_TOO_OLD, /^client_time: .* 90 days/],
  ["with negative revenue", order({ revenueMicros: -5n }), RejectReason.INVALID_AMOUNT, /revenue.*-5/i],
  ["in an unknown currency", order({ currency: "EUX" }), RejectReason.UNKNOWN_CURRENCY, /currency.*EUX/],
  ["without an order id", order({ id: "" }), RejectReason.ORDER_ID_MISSING, /^order\.id/],
];

test.each(BAD)("an event %s is refused alone, with its reason", async (_, bad, reason, message) => {
  const event = { name: "page_view", visitorId: "v" };
  const answer = await client.send(
    { events: [event, { ...event, ...bad }, event] },
    bearer(merchant.writeKey),
  );
  expect(answer.statuses).toEqual([EventStatus.ACCEPTED, EventStatus.REJECTED, EventStatus.ACCEPTED]);
  expect(answer.rejections.map(({ index, reason: given }) => [index, given])).toEqual([[1, reason]]);
  expect(answer.rejections[0]!.message).toMatch(message);
  good += 2;
});

const ODD: [name: string, event: Event, field: string, kind: AdjustmentKind][] = [
  ["2 days in the future", at(2 * DAY_MS), "client_time", AdjustmentKind.REPLACED],
  ["with a url that does not parse", { url: "http://a b/" }, "url", AdjustmentKind.DROPPED],
  ["with a relative url", { url: "/cart" }, "url", AdjustmentKind.DROPPED],
  ["of 2 MB", { url: `https://a.example/${"x".repeat(2 << 20)}` }, "url", AdjustmentKind.CUT],
  ["with an address that is none", { ip: "300.1.1.1" }, "ip", AdjustmentKind.DROPPED],
];

test.each(ODD)("an event %s is taken, and what was changed is told", async (_, odd, field, kind) => {
  const event = { name: "page_view", visitorId: "v" };
  const answer = await client.send(
    { events: [event, { ...event, ...odd }, event] },
    bearer(merchant.writeKey),
  );
  expect(answer.accepted).toBe(3);
  expect(answer.adjustments).toMatchObject([{ index: 1, field, kind }]);
  good += 3;
});

/** A protobuf field of wire type 2: its number and its bytes, fewer than 128. */
const field = (number: number, bytes: Buffer) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);

test("an event that is no message is refused alone, one with invalid UTF-8 is taken", async () => {
  const name = field(2, Buffer.from("page_view"));
  const invalid = Buffer.concat([name, field(6, Buffer.from([0x68, 0xff, 0xfe]))]);
  const events = [name, invalid, Buffer.from([0xff, 0xff, 0xff]), name];
  const body = Buffer.concat(events.map((event) => field(1, event)));
  const response = await postProto(footfall.collectorUrl, SEND, merchant.writeKey, body);
  expect(response.status).toBe(200);
  // Statuses are one packed field: ACCEPTED, ACCEPTED, REJECTED, ACCEPTED.
  const answer = Buffer.from(await response.arrayBuffer());
  expect([...answer.subarray(0, 6)]).toEqual([0x0a, 4, 1, 1, 3, 1]);
  expect(answer.toString("latin1")).toContain("UTF-8");
  good += 3;
});

const WRONG_JSON: [name: string, service: "collector" | "query", body: unknown, message: RegExp][] = [
  ["not JSON", "collector", "{", /JSON/i],
  ["another field", "collector", { evnts: [] }, /evnts|events: 0/],
  ["no period", "query", { metrics: ["events"] }, /period/],
  [
    "no date",
    "query",
    {
      metrics: ["events"],
      period: { dates: { startDate: "2025-02-30", endDate: "2025-03-01" } },
    },
    /period\.dates\.start_date.*2025-02-30/,
  ],
];

test.each(WRONG_JSON)(
  "JSON with %s, to the %s, is refused with a message that says where",
  async (...row) => {
    const [, service, body, message] = row;
    const [rpc, key] = service === "query" ? [RUN_REPORT, merchant.readKey] : [SEND, merchant.writeKey];
    const answer = await postJson(footfall[`${service}Url`], rpc, key, body);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid_argument"]);
    expect(answer.body.message).toMatch(message);
  },
);

test("1,001 events, and none, are refused as a whole; 1,000 are taken", async () => {
  const events = Array.from({ length: 1_001 }, () => ({ name: "page_view", visitorId: "v" }));
  const key = bearer(merchant.writeKey);
  const tooMany = await refusedCall(client.send({ events }, key));
  expect(tooMany).toMatchObject({
    code: "InvalidArgument",
    message: "events: more than 1000, must be 1 to 1000",
  });
  expect((await refusedCall(client.send({ events: [] }, key))).code).toBe("InvalidArgument");
  expect((await client.send({ events: events.slice(1) }, key)).accepted).toBe(1_000);
  good += 1_000;
});

test("keys that are unknown, of another kind or absent are refused without being quoted", async () => {
  for (const key of [bearer(testKey("ffw_unknown")), bearer(merchant.readKey), {}]) {
    const { code, message } = await refusedCall(client.send({ events: [{ name: "page_view" }] }, key));
    expect(code).toBe("Unauthenticated");
    expect(message).toMatch(/^authorization: /);
    expect(message).not.toMatch(/ff[rw]_/);
  }
});

test("a request that is no message, or larger than 8 MiB, is refused as a whole", async () => {
  const { collectorUrl, queryUrl } = footfall;
  const garbage = Buffer.alloc(1_000, 0xff);
  const invalid = {
    code: "invalid_argument",
    message: expect.stringMatching(/^request: cannot be decoded: /),
  };
  for (const response of [
    await postProto(collectorUrl, SEND, merchant.writeKey, garbage),
    await postProto(queryUrl, RUN_REPORT, merchant.readKey, garbage),
  ]) {
    expect([response.status, await response.json()]).toMatchObject([400, invalid]);
  }
  const large = await postProto(collectorUrl, SEND, merchant.writeKey, Buffer.alloc(9 << 20));
  expect([large.status, await large.json()]).toMatchObject([429, { code: "resource_exhausted" }]);
});

const GARBAGE: [string, string][] = [
  ["no protocol at all", "\0\x01\x02garbage\xff\r\n\r\n".repeat(50)],
  ["HTTP/2 that breaks off", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"x".repeat(500)}`],
  ["a TLS greeting", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".padEnd(300, "\x55")],
  ["a request with an endless header", `GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}`],
];

test.each(GARBAGE)("garbage on the ports, %s, ends its own connection only", async (_, bytes) => {
  for (const url of [footfall.collectorUrl, footfall.queryUrl]) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes, "latin1"));
      socket.on("error", () => {});
      socket.on("close", () => resolve());
      socket.resume();
    });
  }
});

test("after all that the services are healthy, nothing has died, and the good events are reported", async () => {
  for (const url of Object.values(footfall.opsUrls)) expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(footfall.deaths).toEqual([]);
  const reader = grpcQueryClient(footfall.queryUrl);
  await waitUntilReported(reader, merchant, Date.now());
  expect((await reportTotals(reader, merchant)).events).toBe(BigInt(good));
  expect((await storedRows(footfall.pool, merchant.merchantId)).rows).toBe(good);
});
