import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { QueryService } from "../gen/footfall/query/v1/query_pb.js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../gen/health_pb.js";
import { createLogger } from "../telemetry/logger.ts";
import { bearerToken } from "./bearer.ts";
import { connectHandler } from "./connect-server.ts";
import { withCors } from "./cors.ts";
import { HealthState, routeHealth } from "./health.ts";
import { listenOnePort, type OnePortServer } from "./one-port.ts";

const health = new HealthState([QueryService.typeName]);
let server: OnePortServer;
let base: string;

beforeAll(async () => {
  health.started();
  const handler = connectHandler({
    routes(router) {
      router.service(QueryService, { runReport: (_, { requestHeader }) => report(requestHeader) });
      routeHealth(router, health);
    },
    log: createLogger("test", "silent"),
    health,
    readMaxBytes: 64 << 10,
    maxTimeoutMs: 60_000,
    shutdown: new AbortController().signal,
  });
  server = await listenOnePort("127.0.0.1", 0, withCors(handler, ["*"]));
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

function report(headers: Headers) {
  if (bearerToken(headers.get("authorization")) !== "ffr_one")
    throw new Failure("unauthenticated", "unknown");
  return { nextPageToken: "7" };
}

const KEY = { authorization: "Bearer ffr_one" };
const RUN = `/${QueryService.typeName}/RunReport`;
const QUESTION = "?connect=v1&encoding=json&message=%7B%7D";

test("a question may be asked by GET, and nobody keeps the answer", async () => {
  const answer = await fetch(base + RUN + QUESTION, { headers: { ...KEY, origin: "https://shop.example" } });
  expect([answer.status, await answer.json()]).toEqual([200, { nextPageToken: "7" }]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  const preflight = await fetch(base + RUN, {
    method: "OPTIONS",
    headers: { origin: "https://shop.example", "access-control-request-method": "GET" },
  });
  expect(preflight.headers.get("access-control-allow-methods")).toMatch(/\bGET\b/);
});

test("without an API key GET is refused, as POST is", async () => {
  expect((await fetch(base + RUN + QUESTION)).status).toBe(401);
});

test.each([true, false])("Connect's own client asks by GET, binary: %s", async (useBinaryFormat) => {
  const methods: string[] = [];
  const transport = createConnectTransport({
    baseUrl: base,
    useHttpGet: true,
    useBinaryFormat,
    fetch: (url, init) => {
      methods.push(init?.method ?? "GET");
      return fetch(url, init);
    },
  });
  const { nextPageToken } = await createClient(QueryService, transport).runReport({}, { headers: KEY });
  expect(nextPageToken).toBe("7");
  expect(methods).toEqual(["GET"]);
});

/** What the grpc-web client in its text mode makes of a call, around a client that knows the binary mode only. */
function textTransport(pieceBytes: number, headers: Record<string, string>) {
  return createGrpcWebTransport({
    baseUrl: base,
    async fetch(url, init) {
      const body = pieces(Buffer.from(init!.body as Uint8Array), pieceBytes);
      const given = new Headers(init!.headers);
      for (const [name, value] of Object.entries(headers)) given.set(name, value);
      const answer = await fetch(url, { ...init, headers: given, body } as RequestInit);
      expect(answer.headers.get("content-type")).toBe("application/grpc-web-text+proto");
      const text = await answer.text();
      // Padded pieces, one after the other: groups of four digits.
      const groups = text.match(/.{4}/g) ?? [];
      expect(groups.join("")).toBe(text);
      const binary = Buffer.concat(groups.map((group) => Buffer.from(group, "base64")));
      return new Response(binary, { headers: { "content-type": "application/grpc-web+proto" } });
    },
  });
}

/** Base64 in pieces, each padded. */
function pieces(bytes: Buffer, size: number): string {
  const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size);
  return starts.map((start) => bytes.subarray(start, start + size).toString("base64")).join("");
}

const TEXT = { "content-type": "application/grpc-web-text", accept: "application/grpc-web-text" };

test("gRPC-Web's text mode: the request in padded pieces of any size, answers and errors", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => {
      const client = createClient(Health, textTransport(size, TEXT));
      expect((await client.check({ service: QueryService.typeName })).status).toBe(Status.SERVING);
      await expect(client.check({ service: "x".repeat(size) })).rejects.toThrow(/unknown/);
    }),
    { numRuns: 20 },
  );
});

test("the answer is text for a text request that does not say, and for any that asks for it", async () => {
  const [frame, text] = [Buffer.alloc(5), "AAAAAAA="];
  const call = async (type: string, accept: string, body: string | Buffer<ArrayBuffer>) => {
    const headers = { "content-type": type, ...(accept === "" ? {} : { accept }), ...KEY };
    const answer = await fetch(base + RUN, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
    return answer.headers.get("content-type");
  };
  const [TEXT_TYPE, BINARY_TYPE] = ["application/grpc-web-text+proto", "application/grpc-web+proto"];
  expect(await call("application/grpc-web-text", "", text)).toBe(TEXT_TYPE);
  expect(await call("application/grpc-web-text", "*/*", text)).toBe(TEXT_TYPE);
  expect(await call("application/grpc-web-text+proto", "application/grpc-web", text)).toBe(BINARY_TYPE);
  expect(await call("application/grpc-web", "application/grpc-web-text", frame)).toBe(TEXT_TYPE);
  expect(await call("application/grpc-web", "", frame)).toBe(BINARY_TYPE);
});

test("a body that is no base64 is refused with words", async () => {
  const headers = { "content-type": "application/grpc-web-text", ...KEY };
  const answer = await fetch(base + RUN, { method: "POST", headers, body: "{}" });
  const trailers = Buffer.from(await answer.text(), "base64").toString("latin1");
  expect(trailers).toMatch(/grpc-status: 3\r\n/);
  expect(decodeURIComponent(trailers)).toMatch(/not base64/);
});

test("a stream of answers is text, each as soon as it is there", async () => {
  const headers = { ...TEXT };
  const end = new AbortController();
  const answer = await fetch(`${base}/grpc.health.v1.Health/Watch`, {
    method: "POST",
    headers,
    body: "AAAAAAA=",
    signal: end.signal,
  });
  const { value } = await answer.body!.getReader().read();
  // A frame of two bytes: status (field 1) SERVING (1).
  expect(Buffer.from(Buffer.from(value!).toString(), "base64")).toEqual(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  end.abort();
});
