import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test, vi } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import { frame } from "../rpc/testing/http2-frame.ts";
import { type Rig, startRig } from "./testing/rig.ts";

// What a connection holds must not grow with its requests: heap and listeners are as before. FOOTFALL_TEST_REQUESTS
// sets how many there are, such as 100000: a minute of a core.

const REQUESTS = Number(process.env.FOOTFALL_TEST_REQUESTS ?? 20_000);
/** After so many everything is compiled, and every pool is full. */
const FIRST = 5_000;
/** Bytes a request: less than any object with a listener has. */
const MOST_GROWTH = 100;
const TIMEOUT_MS = 600_000;

let rig: Rig;
const warnings: string[] = [];
const onWarning = ({ name }: Error) => warnings.push(name);
const found: EventEmitter[] = [];
const watch = (message: unknown) => {
  const { socket, stream } = message as { socket?: Socket; stream?: { session: ServerHttp2Session } };
  const emitter = socket ?? stream!.session;
  // The test's ingest has connections, too.
  const { localPort } = socket ?? stream!.session.socket;
  if (localPort === rig.port && !found.includes(emitter)) found.push(emitter);
};
const CHANNELS = ["http.server.request.start", "http2.server.stream.created"];

afterEach(async () => {
  for (const channel of CHANNELS) unsubscribe(channel, watch);
  process.off("warning", onWarning);
  await rig?.close();
});

async function start(): Promise<void> {
  warnings.length = 0;
  found.length = 0;
  rig = await startRig();
  process.on("warning", onWarning);
  for (const channel of CHANNELS) subscribe(channel, watch);
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is held just now: bytes of the heap, and listeners of the connection. */
function held() {
  collect();
  const listeners = found.flatMap((emitter) =>
    emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)] as const),
  );
  return { heap: process.memoryUsage().heapUsed, listeners: listeners.sort() };
}

/** Sends so many requests by `send`, and as many more as make up the whole. */
async function expectNoGrowth(send: (count: number) => Promise<void>): Promise<void> {
  await send(FIRST);
  const before = held();
  await send(REQUESTS - FIRST);
  const after = held();
  expect(found).toHaveLength(1);
  expect(after.listeners).toEqual(before.listeners);
  expect(after.heap - before.heap).toBeLessThan(MOST_GROWTH * (REQUESTS - FIRST));
  expect(warnings).toEqual([]);
  const { requests, readingBytes } = rig.collector.limits;
  expect([requests, readingBytes]).toEqual([0, 0]);
}

const SEND = "/footfall.collect.v1.CollectService/Send";

async function open(): Promise<Socket> {
  const socket = connect({ port: rig.port, host: "127.0.0.1", noDelay: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

/** Waits until something has come so many times more. */
function counter() {
  let missing = 0;
  let done = Promise.withResolvers<void>();
  return {
    came(times: number): void {
      missing -= times;
      if (missing <= 0) done.resolve();
    },
    wait(times: number): Promise<void> {
      missing += times;
      done = Promise.withResolvers<void>();
      return done.promise;
    },
  };
}

const http1 = (head: string, headers: string, body = "") =>
  `${head} HTTP/1.1\r\nhost: x\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`;
const json = (key: string) => `content-type: application/json\r\nauthorization: Bearer ${key}\r\n`;

/** Requests of many kinds that need no events: of each kind one. */
const KINDS = [
  http1(`POST ${SEND}`, json(testKey("ffw_unknown")), '{"events":[{"name":"a"}]}'),
  http1(`POST ${SEND}`, json("ffw_x"), "{}"),
  http1(`POST ${SEND}`, json(testKey("ffw_one")), "{}"),
  http1(`POST ${SEND}`, "content-type: application/json\r\n", '{"key":"ffw_x"}'),
  http1(`POST ${SEND}`, "content-type: application/proto\r\n", "x"),
  http1("POST /v1/logs", "authorization: Bearer x\r\n", "a line"),
  http1("GET /nothing", ""),
  http1("GET /livez", ""),
  http1(`OPTIONS ${SEND}`, "origin: https://a.example\r\naccess-control-request-method: POST\r\n"),
  http1("POST /grpc.health.v1.Health/Check", "content-type: application/json\r\n", "{}"),
];

test("any number of requests of many kinds over one HTTP/1.1 connection", {
  timeout: TIMEOUT_MS,
}, async () => {
  await start();
  const socket = await open();
  const answers = counter();
  let rest = "";
  socket.on("data", (bytes) => {
    const parts = (rest + bytes.toString("latin1")).split("HTTP/1.1 ");
    answers.came(parts.length - 1);
    // A status line may be cut anywhere.
    rest = parts.at(-1)!.slice(-9);
  });
  const round = Buffer.from(KINDS.join("").repeat(20));
  await expectNoGrowth(async (count) => {
    for (let sent = 0; sent < count; sent += 20 * KINDS.length) {
      socket.write(round);
      await answers.wait(20 * KINDS.length);
    }
  });
  socket.destroy();
});

test("requests that are answered before their bodies have come leave no listener on an HTTP/1.1 connection", async () => {
  await start();
  const socket = await open();
  const answers = counter();
  socket.on("data", (bytes) => answers.came(bytes.toString("latin1").split("HTTP/1.1 ").length - 1));
  const body = "x".repeat(2_000);
  const [head] = http1(`POST ${SEND}`, json("ffw_x"), body).split(body);
  const ask = async (count: number) => {
    for (let at = 0; at < count; at++) {
      socket.write(head!);
      await answers.wait(1);
      socket.write(body);
    }
  };
  await ask(20);
  const before = held().listeners;
  await ask(200);
  expect(held().listeners).toEqual(before);
  expect(warnings).toEqual([]);
  socket.destroy();
});

test("requests that wait behind another on an HTTP/1.1 connection that breaks give their places back", async () => {
  await start();
  for (let at = 0; at < 20; at++) {
    const socket = await open();
    // The first of them waits for as long as it takes to see it.
    const release = rig.publisher.hold();
    const one = http1(`POST ${SEND}`, json(testKey("ffw_one")), '{"events":[{"name":"a"}]}');
    socket.write(one.repeat(100));
    await vi.waitFor(() => expect(rig.collector.limits.requests).toBeGreaterThan(0));
    socket.resetAndDestroy();
    release();
  }
  await vi.waitFor(() => {
    const { requests, readingBytes } = rig.collector.limits;
    expect([requests, readingBytes]).toEqual([0, 0]);
  });
});

/** A header in HPACK, literal and not remembered (RFC 7541 section 6.2.2); both parts shorter than 127 bytes. */
const header = (name: string, value: string) =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
const block = (path: string, headers: Record<string, string>) =>
  // :method POST, :scheme http of the static table.
  Buffer.concat([
    Buffer.from([0x83, 0x86]),
    ...Object.entries({ ":path": path, ":authority": "x", ...headers }).map(([name, value]) =>
      header(name, value),
    ),
  ]);
const GRPC = { "content-type": "application/grpc", te: "trailers" };
const BLOCKS = [
  block(SEND, { ...GRPC, authorization: `Bearer ${testKey("ffw_unknown")}` }),
  block(SEND, { ...GRPC, authorization: "Bearer ffw_x" }),
  block("/footfall.collect.v1.CollectService/Stream", { ...GRPC, authorization: "Bearer ffw_x" }),
  block(SEND, { "content-type": "application/json", authorization: "Bearer ffw_x" }),
  block("/nothing", {}),
  block("/v1/logs", { authorization: "Bearer x" }),
];

test("any number of requests of many kinds over one HTTP/2 connection", { timeout: TIMEOUT_MS }, async () => {
  await start();
  const socket = await open();
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(frame(4, 0, 0, Buffer.alloc(0)));
  const answers = counter();
  let rest = Buffer.alloc(0);
  let unread = 0;
  socket.on("data", (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) break;
      const [type, flags] = [rest[3]!, rest[4]!];
      // SETTINGS wants an ack; DATA and HEADERS tell the stream's end.
      if (type === 4 && flags === 0) socket.write(frame(4, 1, 0, Buffer.alloc(0)));
      if (type <= 1 && (flags & 1) === 1) answers.came(1);
      if (type === 0) unread += length;
      rest = rest.subarray(9 + length);
    }
    if (unread > 30_000) {
      const window = Buffer.alloc(4);
      window.writeUInt32BE(unread);
      socket.write(frame(8, 0, 0, window));
      unread = 0;
    }
  });
  let stream = 1;
  await expectNoGrowth(async (count) => {
    for (let sent = 0; sent < count; sent += 200) {
      const frames: Buffer[] = [];
      for (let at = 0; at < 200; at++, stream += 2)
        frames.push(frame(1, 5, stream, BLOCKS[at % BLOCKS.length]!));
      socket.write(Buffer.concat(frames));
      await answers.wait(200);
    }
  });
  socket.destroy();
});
