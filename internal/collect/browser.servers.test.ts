import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import { sendRequest, textField } from "./testing/raw.ts";
import { type Rig, startRig } from "./testing/rig.ts";

let rig: Rig;
afterEach(() => rig?.close());

const SEND = "/footfall.collect.v1.CollectService/Send";
const PAGE = "https://shop.example";
const JSON_HEADERS = {
  "content-type": "application/json",
  authorization: `Bearer ${testKey("ffw_one")}`,
  origin: PAGE,
};

const post = (path: string, headers: Record<string, string>, body = '{"events":[{"name":"page_view"}]}') =>
  fetch(rig.url + path, { method: "POST", headers: { ...JSON_HEADERS, ...headers }, body });

test.each([
  "application/json",
  "application/json; charset=utf-8",
  "application/json;charset=UTF-8",
  "Application/JSON",
  'application/json; charset="utf-8"',
])("the content type %s is JSON", async (type) => {
  rig = await startRig();
  const answer = await post(SEND, { "content-type": type });
  expect(await answer.json()).toMatchObject({ accepted: 1 });
});

test("a page can read why it was refused", async () => {
  rig = await startRig({ merchantEventsPerSecond: 1, rateWindowSeconds: 60 });
  const events = JSON.stringify({ events: new Array(1_000).fill({ name: "a" }) });
  await post(SEND, {}, events);
  const answers = await Promise.all([
    post(SEND, { authorization: "Bearer nobody" }),
    post(SEND, { authorization: "" }),
    post(SEND, { authorization: `Bearer ${testKey("ffw_two")}` }, "no JSON"),
    post(SEND, { "content-type": "application/json; charset=utf-16" }),
    post(`${SEND}er`, {}),
    fetch(rig.url + SEND, { headers: { origin: PAGE } }),
    post(SEND, {}, events),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 400, 415, 404, 405, 429]);
  for (const { headers } of answers) {
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("vary")).toMatch(/origin/i);
  }
  const limited = answers.at(-1)!.headers;
  expect(limited.get("retry-after")).toMatch(/^\d+$/);
  expect(limited.get("access-control-expose-headers")).toMatch(/\bretry-after\b/);
});

test("over HTTP/2 too", async () => {
  rig = await startRig();
  const session = connectHttp2(rig.url);
  const stream = session.request({ ":method": "POST", ":path": SEND, ...JSON_HEADERS, authorization: "x" });
  const headers = new Promise<Record<string, unknown>>((resolve) => stream.on("response", resolve));
  stream.resume().end("{}");
  expect(await headers).toMatchObject({ ":status": 401, "access-control-allow-origin": "*" });
  await new Promise<void>((resolve) => session.close(resolve));
});

const preflight = (origin: string, asked: string) =>
  fetch(rig.url + SEND, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": asked,
    },
  });

test.each([
  "authorization,content-type,traceparent",
  "tracestate, baggage, sentry-trace, x-requested-with",
  "authorization,connect-protocol-version,connect-timeout-ms,content-type",
  "grpc-timeout,x-grpc-web,x-user-agent",
  "X-Datadog-Trace-Id",
])("a preflight for %s is granted", async (asked) => {
  rig = await startRig();
  for (const origin of [PAGE, "null"]) {
    const { status, headers } = await preflight(origin, asked);
    expect([status, headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
    const allowed = headers.get("access-control-allow-headers")!.split(", ");
    expect(allowed).toEqual(expect.arrayContaining(asked.toLowerCase().split(/, ?/)));
    expect(headers.get("access-control-allow-methods")).toMatch(/POST/);
    expect(Number(headers.get("access-control-max-age"))).toBeGreaterThan(0);
  }
});

test("what is asked for and is no header's name is not repeated", async () => {
  rig = await startRig();
  const { headers } = await preflight(PAGE, "x y,good,<b>,,é");
  const allowed = headers.get("access-control-allow-headers")!.split(", ");
  expect(allowed).toContain("good");
  for (const name of allowed) expect(name).toMatch(/^[a-z-]+$/);
});

test("with origins named, a page of another one is told nothing", async () => {
  rig = await startRig({ allowedOrigins: [PAGE] });
  const own = await preflight(PAGE, "content-type");
  expect(own.headers.get("access-control-allow-origin")).toBe(PAGE);
  const other = await preflight("https://other.example", "content-type");
  expect(other.headers.get("access-control-allow-origin")).toBeNull();
  const refused = await post(SEND, { authorization: "x" });
  expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, PAGE]);
  const anonymous = await fetch(rig.url + SEND, { method: "POST" });
  expect(anonymous.headers.get("vary")).toMatch(/origin/);
});

test("a request without a host, or with one that is none, harms nobody else", async () => {
  rig = await startRig();
  const body = '{"events":[{"name":"a"}]}';
  const raw = (first: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(rig.port, "127.0.0.1");
      const fields = Object.entries({ ...JSON_HEADERS, "content-length": String(body.length) });
      const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      socket.write(`POST ${SEND} ${first}connection: close\r\n${head}\r\n${body}`);
      let got = "";
      socket.on("data", (chunk) => {
        got += chunk;
      });
      socket.on("close", () => resolve(got));
    });
  expect(await raw("HTTP/1.0\r\n")).toMatch(/^HTTP\/1.1 200 /);
  expect(await raw("HTTP/1.1\r\nhost: a b\r\n")).toMatch(/^HTTP\/1.1 400 /);
  expect((await post(SEND, {})).status).toBe(200);
});

test("gRPC-Web's text mode takes events", async () => {
  rig = await startRig();
  const request = sendRequest([textField(2, "page_view")]);
  const head = Buffer.from([0, 0, 0, 0, request.length]);
  const answer = await fetch(rig.url + SEND, {
    method: "POST",
    headers: { ...JSON_HEADERS, "content-type": "application/grpc-web-text" },
    // As grpc-web allows: two pieces, each padded.
    body: head.toString("base64") + Buffer.from(request).toString("base64"),
  });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "application/grpc-web-text+proto",
  ]);
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  expect(rig.publisher.rows().map(({ name }) => name)).toEqual(["page_view"]);
});
