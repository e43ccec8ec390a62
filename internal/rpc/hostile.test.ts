import { constants } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { Health } from "../gen/health_pb.js";
import { createLogger } from "../telemetry/logger.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import { connectHandler, operations, serveOperations } from "./connect-server.ts";
import { HealthState, routeHealth } from "./health.ts";
import { type Handler, listenOnePort, type OnePortServer } from "./one-port.ts";
import { DEFAULT_LIMITS, type PortLimits } from "./port-limits.ts";
import { HostileClient, lifeOf, receivedText, statusOf } from "./testing/hostile-client.ts";
import { frame } from "./testing/http2-frame.ts";

const WATCH = `/${Health.typeName}/${Health.method.watch.name}`;
const CHECK = `/${Health.typeName}/${Health.method.check.name}`;
const GRPC = { ":method": "POST", "content-type": "application/grpc", te: "trailers" } as const;
/** An empty message. */
const MESSAGE = Buffer.alloc(5);

let server: OnePortServer;
let client: HostileClient;
let shutdown: AbortController;
afterEach(async () => {
  client?.close();
  shutdown?.abort();
  await server?.close();
});

async function start(limits: Partial<PortLimits>, proxyProtocol = false): Promise<void> {
  shutdown = new AbortController();
  const health = new HealthState([]);
  const common = { log: createLogger("test", "silent"), shutdown: shutdown.signal, health };
  const rest = operations(health);
  const fallback: Handler = (request, response) => {
    if (request.url === "/large") (response as { end(body: Buffer): void }).end(Buffer.alloc(64 << 20));
    else if (request.url !== "/never") rest(request, response);
  };
  const handler = connectHandler({
    ...common,
    routes: (router) => routeHealth(router, health),
    readMaxBytes: 64 << 10,
    maxTimeoutMs: 600_000,
    fallback,
  });
  const all = { ...DEFAULT_LIMITS, isUnlimited: () => false, ...limits };
  server = await listenOnePort("127.0.0.1", 0, handler, { limits: all, proxyProtocol });
  client = new HostileClient(server.port);
}

/** Far longer than the time-outs under test, far shorter than the default ones, ms. */
const SOON = 8_000;
const SHORT = { headerTimeoutMs: 400, bodyTimeoutMs: 400, idleTimeoutMs: 800 };

/** Sends a byte again and again, as long as the connection stands. */
async function drip(socket: Awaited<ReturnType<HostileClient["open"]>>, bytes: string): Promise<void> {
  while (!socket.destroyed) {
    socket.write(bytes);
    await sleep(50);
  }
}

test.each([
  ["that says nothing", "", ""],
  ["that never finishes a request line", "GET /", "a"],
  ["that never finishes HTTP/2's preface", "PRI * HT", ""],
  ["that never finishes its headers", "GET / HTTP/1.1\r\nhost: x\r\n", "x: y\r\n"],
  ["that never sends its body", `POST ${CHECK} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n`, ""],
  [
    "that drips its body",
    `POST ${CHECK} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n`,
    " ",
  ],
  [
    "that drips the body of an unknown path",
    "POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\n",
    " ",
  ],
  ["that keeps a connection alive for nothing", "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n", ""],
])("a client %s is closed, and others are served meanwhile", async (_, first, drips) => {
  await start(SHORT);
  const socket = await client.open();
  if (first !== "") socket.write(first);
  if (drips !== "") void drip(socket, drips);
  const life = lifeOf(socket);
  expect(await client.status("/readyz")).toBe(503);
  expect(await life).toBeLessThan(SOON);
});

test("an answer that nobody takes is given up, over HTTP/1.1 and HTTP/2", async () => {
  await start({ bodyTimeoutMs: 400 });
  const socket = await client.open();
  socket.pause();
  socket.write("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
  const session = await client.session();
  const stream = session.request({ ":path": "/large" });
  stream.on("error", () => {});
  await new Promise((resolve) => stream.once("close", resolve));
  expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  // What stands in the socket's own buffer is read after the connection broke.
  expect((await receivedText(socket)).length).toBeLessThan(64 << 20);
});

test("an HTTP/2 stream whose body never ends is reset, its neighbours go on", async () => {
  await start({ bodyTimeoutMs: 400 });
  const session = await client.session();
  const stuck = session.request({ ...GRPC, ":path": CHECK });
  stuck.write(MESSAGE.subarray(0, 3));
  const watch = session.request({ ...GRPC, ":path": WATCH });
  watch.end(MESSAGE);
  const status = statusOf(stuck);
  expect(await statusOf(watch)).toBe(200);
  expect(await status).toBe(`closed ${constants.NGHTTP2_CANCEL}`);
  expect(watch.closed).toBe(false);
});

test("an HTTP/2 session without a stream is told to go (GOAWAY); one with a stream stays", async () => {
  await start(SHORT);
  const [idle, busy] = [await client.session(), await client.session()];
  const watch = busy.request({ ...GRPC, ":path": WATCH });
  watch.end(MESSAGE);
  expect(await statusOf(watch)).toBe(200);
  const code = await new Promise((resolve) => idle.once("goaway", resolve));
  expect(code).toBe(constants.NGHTTP2_NO_ERROR);
  expect([busy.closed, watch.closed]).toEqual([false, false]);
});

const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(4, 0, 0, Buffer.alloc(0)),
]);
const [HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION] = [1, 3, 4, 6, 9];
const [END_STREAM, END_HEADERS] = [1, 4];
/** GET /readyz in HPACK: two of the static table, two literals. */
const HEADER_BLOCK = Buffer.concat([
  Buffer.from([0x82, 0x86, 0x04, 7]),
  Buffer.from("/readyz"),
  Buffer.from([0x01, 1, 0x78]),
]);

const flood = (make: (at: number) => Buffer, count: number) =>
  Buffer.concat([PREFACE, ...Array.from({ length: count }, (_, at) => make(at))]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

test.each([
  ["headers that never end", flood(() => frame(HEADERS!, 0, 1, HEADER_BLOCK), 1)],
  [
    "100,000 CONTINUATIONs (CVE-2024-27316)",
    flood(
      (at) =>
        at === 0
          ? frame(HEADERS!, 0, 1, HEADER_BLOCK)
          : frame(CONTINUATION!, 0, 1, Buffer.from([0x00, 1, 0x61, 1, 0x62])),
      100_000,
    ),
  ],
  [
    "20,000 streams that are reset at once (CVE-2023-44487)",
    flood(
      (at) =>
        Buffer.concat([
          frame(HEADERS!, END_HEADERS! | END_STREAM!, 2 * at + 1, HEADER_BLOCK),
          frame(RST_STREAM!, 0, 2 * at + 1, u32(8)),
        ]),
      20_000,
    ),
  ],
  [
    "a million SETTINGS, whose acks it does not read",
    flood(() => frame(SETTINGS!, 0, 0, Buffer.alloc(0)), 1_000_000),
  ],
  [
    "a million PINGs, whose acks it does not read",
    flood(() => frame(PING!, 0, 0, Buffer.alloc(8)), 1_000_000),
  ],
])("a client that sends %s is closed, and others are served meanwhile", async (_, bytes) => {
  // Not shorter: the flood may hold up this process, which is the other client too.
  await start({ headerTimeoutMs: 3_000, bodyTimeoutMs: 3_000, idleTimeoutMs: 3_000 });
  const socket = await client.open();
  socket.pause();
  socket.write(bytes);
  const started = performance.now();
  expect(await client.status("/readyz")).toBe(503);
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(await lifeOf(socket)).toBeLessThan(SOON);
});

test("a header of more than 16 KiB is refused, over HTTP/1.1 and HTTP/2", async () => {
  await start({});
  const socket = await client.open();
  const text = receivedText(socket);
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`);
  expect(await text).toMatch(/^HTTP\/1\.1 431 /);
  const stream = (await client.session()).request({ ":path": "/readyz", x: "y".repeat(20_000) });
  expect(await statusOf(stream)).toBe(431);
});

test("thousands of connections from one address: some stand, others are reset, another address is served at once", async () => {
  await start({ connectionsPerAddress: 100 });
  const standing = await client.openMany(2_000);
  expect(standing).toHaveLength(100);
  const started = performance.now();
  expect(await client.status("/readyz", "127.0.0.2")).toBe(503);
  expect(performance.now() - started).toBeLessThan(2_000);
  // Once they are gone the address may come again.
  for (const socket of standing) socket.destroy();
  await vi.waitFor(async () => expect(await client.status("/readyz")).toBe(503), 5_000);
});

test("thousands of streams from one address: those over its number are answered 429, another address is served", async () => {
  await start({ requestsPerAddress: 300 });
  const sessions = [await client.session(), await client.session(), await client.session()];
  const statuses = await Promise.all(
    Array.from({ length: 2_700 }, (_, at) => {
      const stream = sessions[at % 3]!.request({ ...GRPC, ":path": WATCH });
      stream.end(MESSAGE);
      return statusOf(stream);
    }),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(300);
  expect(statuses.filter((status) => status === 429)).toHaveLength(2_400);
  expect(await client.status("/readyz", "127.0.0.2")).toBe(503);
  expect(await client.status("/readyz")).toBe(429);
  for (const session of sessions) session.destroy();
  await vi.waitFor(async () => expect(await client.status("/readyz")).toBe(503), 5_000);
});

test("a port that is full closes what has been idle longest, never what has a request", async () => {
  await start({ maxConnections: 20 });
  const busy = await client.session();
  const watch = busy.request({ ...GRPC, ":path": WATCH });
  watch.end(MESSAGE);
  expect(await statusOf(watch)).toBe(200);
  const idle = await client.openMany(500);
  expect(idle.length).toBeLessThan(20);
  expect(await client.status("/readyz", "127.0.0.2")).toBe(503);
  expect(watch.closed).toBe(false);
});

test("requests that wait behind another on a connection that breaks are counted no longer", async () => {
  await start({ requestsPerAddress: 60 });
  for (let round = 0; round < 5; round++) {
    const socket = await client.open();
    socket.write("GET /never HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50));
    await vi.waitFor(async () => {
      const many = await Promise.all(
        Array.from({ length: 30 }, () => client.status("/never", "127.0.0.1")).map((status) =>
          Promise.race([status, sleep(300)]),
        ),
      );
      expect(many).toContain(429);
    });
    client.close();
  }
  await vi.waitFor(async () => expect(await client.status("/readyz")).toBe(503), 5_000);
});

test("with the PROXY protocol its address counts, and so do balancers' by themselves", async () => {
  await start({ connectionsPerAddress: 3, isUnlimited: (address) => address === "10.0.0.1" }, true);
  const ask = async (address: string) => {
    const socket = await client.open();
    const text = receivedText(socket);
    socket.write(
      `PROXY TCP4 ${address} 192.0.2.1 1 2\r\nGET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    return (await text).slice(0, 12);
  };
  const keep = async (address: string) => {
    const socket = await client.open();
    socket.write(`PROXY TCP4 ${address} 192.0.2.1 1 2\r\n`);
  };
  for (let at = 0; at < 5; at++) {
    await keep("203.0.113.1");
    await keep("10.0.0.1");
  }
  await vi.waitFor(async () => expect(await ask("203.0.113.1")).toBe(""));
  expect(await ask("203.0.113.2")).toBe("HTTP/1.1 503");
  expect(await ask("10.0.0.1")).toBe("HTTP/1.1 503");
});

test("the operators' port has limits too", async () => {
  shutdown = new AbortController();
  server = await serveOperations({
    host: "127.0.0.1",
    port: 0,
    services: [],
    health: new HealthState([]),
    registry: createRegistry("test"),
    log: createLogger("test", "silent"),
    shutdown: shutdown.signal,
  });
  client = new HostileClient(server.port);
  expect((await client.openMany(1_500)).length).toBe(200);
  expect(await client.status("/readyz", "127.0.0.2")).toBe(503);
});
