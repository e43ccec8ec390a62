import { connect } from "node:net";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { QueryService } from "../gen/footfall/query/v1/query_pb.js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../gen/health_pb.js";
import { ServerReflection } from "../gen/reflection_pb.js";
import { createLogger } from "../telemetry/logger.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import { serveOperations } from "./connect-server.ts";
import { HealthState } from "./health.ts";
import type { OnePortServer } from "./one-port.ts";

const health = new HealthState(["footfall.query.v1.QueryService"]);
const shutdown = new AbortController();
let server: OnePortServer;
let base: string;

beforeAll(async () => {
  const log = createLogger("test", "silent");
  const registry = createRegistry("test");
  server = await serveOperations({
    host: "127.0.0.1",
    port: 0,
    services: [QueryService],
    health,
    registry,
    log,
    shutdown: shutdown.signal,
  });
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  shutdown.abort();
  await server.close();
});

test.each([
  ["gRPC", () => createGrpcTransport({ baseUrl: base })],
  ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: base, httpVersion: "1.1" })],
  ["Connect over HTTP/1.1", () => createConnectTransport({ baseUrl: base, httpVersion: "1.1" })],
  ["Connect over HTTP/2", () => createConnectTransport({ baseUrl: base, httpVersion: "2" })],
])("%s is served on the one port", async (_, transport) => {
  health.started();
  const answer = await createClient(Health, transport()).check({ service: "" });
  expect(answer.status).toBe(Status.SERVING);
});

test("health watch tells each change", async () => {
  health.setProblem("database", "no database");
  const client = createClient(Health, createGrpcTransport({ baseUrl: base }));
  const seen: Status[] = [];
  for await (const { status } of client.watch({ service: "footfall.query.v1.QueryService" })) {
    seen.push(status);
    if (status === Status.SERVING) break;
    health.setProblem("database", undefined);
  }
  expect(seen).toEqual([Status.NOT_SERVING, Status.SERVING]);
});

test("readyz tells every problem and note, livez lives, metrics are served, an unknown path is not found", async () => {
  const get = async (path: string) => {
    const answer = await fetch(`${base}${path}`);
    return [answer.status, await answer.text()];
  };
  health.setProblem("database", "no database");
  health.setProblem("jetstream", "no broker");
  expect(await get("/readyz")).toEqual([503, "no database; no broker\n"]);
  expect(await get("/livez")).toEqual([200, "ok\n"]);
  health.setProblem("database", undefined);
  expect(await get("/readyz")).toEqual([503, "no broker\n"]);
  health.setProblem("jetstream", undefined);
  health.setNote("stream", "EVENTS_1 is full");
  expect(await get("/readyz")).toEqual([200, "ok\nEVENTS_1 is full\n"]);
  health.setNote("stream", undefined);
  expect(await get("/readyz")).toEqual([200, "ok\n"]);
  expect((await fetch(`${base}/healthz`)).status).toBe(404);
  expect(await (await fetch(`${base}/metrics`)).text()).toContain("process_resident_memory_bytes");
  expect((await fetch(`${base}/nothing`)).status).toBe(404);
});

test("reflection lists services and finds the file of a symbol", async () => {
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: base }));
  async function* questions() {
    yield { messageRequest: { case: "listServices", value: "" } } as const;
    yield { messageRequest: { case: "fileContainingSymbol", value: "grpc.health.v1.Health.Check" } } as const;
    yield { messageRequest: { case: "fileByFilename", value: "nothing.proto" } } as const;
  }
  const cases: string[] = [];
  for await (const answer of client.serverReflectionInfo(questions())) {
    cases.push(answer.messageResponse.case ?? "");
  }
  expect(cases).toEqual(["listServicesResponse", "fileDescriptorResponse", "errorResponse"]);
});

test("garbage bytes end their own connection only", async () => {
  const answers = await Promise.all(
    [
      "\0\x01\x02garbage\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nbut not frames".padEnd(200, "x"),
      "PRI",
    ].map(
      (bytes) =>
        new Promise<string>((resolve) => {
          let got = "";
          const socket = connect(server.port, "127.0.0.1", () => socket.end(bytes, "latin1"));
          socket.on("data", (chunk) => {
            got += chunk.toString("latin1");
          });
          socket.on("error", () => resolve("reset"));
          socket.on("close", () => resolve(got));
        }),
    ),
  );
  expect(answers[0]).toContain("400 Bad Request");
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
});

test("while draining, HTTP/1.1 clients are told to close and gRPC is still answered", async () => {
  const state = new HealthState([]);
  const log = createLogger("test", "silent");
  const end = new AbortController();
  const draining = await serveOperations({
    host: "127.0.0.1",
    port: 0,
    services: [QueryService],
    health: state,
    registry: createRegistry("test"),
    log,
    shutdown: end.signal,
  });
  const url = `http://127.0.0.1:${draining.port}`;
  const check = () =>
    fetch(`${url}/grpc.health.v1.Health/Check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
  const before = await check();
  expect([before.headers.get("connection"), await before.json()]).toEqual([
    "keep-alive",
    { status: "NOT_SERVING" },
  ]);
  state.started();
  state.drain();
  // Whatever else becomes of the program, it is on its way out.
  state.setProblem("database", undefined);
  const after = await check();
  expect([after.headers.get("connection"), await after.json()]).toEqual(["close", { status: "NOT_SERVING" }]);
  const grpc = createClient(Health, createGrpcTransport({ baseUrl: url }));
  expect((await grpc.check({})).status).toBe(Status.NOT_SERVING);
  end.abort();
  await draining.close();
});

test("a connection whose first bytes come while the server closes does not hold it up", async () => {
  const silent = await serveOperations({
    host: "127.0.0.1",
    port: 0,
    services: [QueryService],
    health: new HealthState([]),
    registry: createRegistry("test"),
    log: createLogger("test", "silent"),
    shutdown: new AbortController().signal,
  });
  const socket = connect(silent.port, "127.0.0.1");
  // All but the last byte of HTTP/2's preface: it is no session yet.
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  await new Promise<void>((resolve) => socket.write(preface.slice(0, 10), () => resolve()));
  const gone = new Promise((resolve) =>
    socket
      .on("close", resolve)
      .on("error", () => {})
      .resume(),
  );
  await expect
    .poll(() => fetch(`http://127.0.0.1:${silent.port}/readyz`).then(({ status }) => status))
    .toBe(503);
  const closed = silent.close();
  socket.write(`${preface.slice(10)}\0\0\0\x04\0\0\0\0\0`);
  await Promise.all([closed, gone]);
});
