import { brotliCompressSync, gzipSync } from "node:zlib";
import { createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { Client, credentials, Server, type ServiceError, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QueryService } from "../gen/footfall/query/v1/query_pb.js";
import { Health } from "../gen/health_pb.js";
import { createLogger } from "../telemetry/logger.ts";
import { connectHandler } from "./connect-server.ts";
import { addHealthCheck, bind, methodDefinition } from "./grpc-js.ts";
import { HealthState, routeHealthCheck } from "./health.ts";
import { listenOnePort, type OnePortServer } from "./one-port.ts";
import { divertMessages, messagesKey } from "./request-messages.ts";

const health = new HealthState([QueryService.typeName]);
let server: OnePortServer;
const grpcJs = new Server();
let grpcJsPort: number;

beforeAll(async () => {
  const handler = connectHandler({
    routes(router) {
      router.service(QueryService, { runReport: () => ({ totalSize: 7 }) });
      routeHealthCheck(router, health);
    },
    log: createLogger("test", "silent"),
    health,
    readMaxBytes: 64 << 10,
    maxTimeoutMs: 60_000,
    shutdown: new AbortController().signal,
  });
  server = await listenOnePort("127.0.0.1", 0, handler);
  addHealthCheck(grpcJs, health);
  grpcJsPort = await bind(grpcJs, "127.0.0.1", 0);
});
afterAll(async () => {
  grpcJs.forceShutdown();
  await server.close();
});

/** Bytes that are no message: a length beyond the end, an endless varint, field 0, a group without an end, a cut text. */
const MALFORMED = ["7a09", "ffffffffffffffffffffff", "0000", "2b", "0a0461"].map((hex) =>
  Buffer.from(hex, "hex"),
);
const RUN = "/footfall.query.v1.QueryService/RunReport";

const enveloped = (bytes: Buffer, flags = 0) => {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

describe.each(MALFORMED.map((bytes) => [bytes.toString("hex"), bytes] as const))("%s", (_, bytes) => {
  test.each(["application/proto", "application/json"])("is INVALID_ARGUMENT as %s", async (type) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${RUN}`, {
      method: "POST",
      headers: { "content-type": type },
      body: bytes,
    });
    expect([response.status, await response.json()]).toMatchObject([400, { code: "invalid_argument" }]);
  });

  test("is INVALID_ARGUMENT by GET", async () => {
    const query = `connect=v1&encoding=proto&base64=1&message=${bytes.toString("base64url")}`;
    const response = await fetch(`http://127.0.0.1:${server.port}${RUN}?${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { code: "invalid_argument" }]);
  });

  test("is INVALID_ARGUMENT over gRPC-Web", async () => {
    const headers = { "content-type": "application/grpc-web+proto" };
    const body = enveloped(bytes);
    const response = await fetch(`http://127.0.0.1:${server.port}${RUN}`, { method: "POST", headers, body });
    expect(response.headers.get("grpc-status") ?? (await response.text())).toMatch(/3/);
  });

  test.each([
    ["the one port", () => server.port, methodDefinition(QueryService.method.runReport)],
    ["the one port, health", () => server.port, methodDefinition(Health.method.check)],
    ["a grpc-js server", () => grpcJsPort, methodDefinition(Health.method.check)],
  ])("is INVALID_ARGUMENT over gRPC of %s", async (_, port, method) => {
    const { path, responseDeserialize } = method;
    const client = new Client(`127.0.0.1:${port()}`, credentials.createInsecure());
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(path, () => bytes, responseDeserialize, bytes, resolve);
    });
    client.close();
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

/** What comes out of a body of some type: its messages, or why there are none. */
async function diverted(type: string, pieces: Buffer[], headers: Record<string, string> = {}) {
  let held = 0;
  let most = 0;
  const memory = {
    take: (bytes: number) => {
      held += bytes;
      most = Math.max(most, held);
    },
    give: (bytes: number) => {
      held -= bytes;
    },
  };
  async function* counted() {
    for (const piece of pieces) {
      memory.take(piece.length);
      yield piece;
    }
  }
  const contextValues = createContextValues();
  const header = new Headers({ "content-type": type, ...headers });
  const call = { method: "POST", url: "http://a/", header, contextValues, body: counted() };
  await divertMessages(call as unknown as UniversalServerRequest, 1 << 20, memory);
  const messages: string[] = [];
  for await (const _ of call.body) {
    for (const { bytes } of contextValues.get(messagesKey)!.splice(0))
      messages.push(Buffer.from(bytes).toString());
  }
  return { messages, held, most };
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 });

/** Bytes as they come, cut into pieces of these sizes in turn. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

test("messages come out as they went in, packed or not, in pieces of any size, and are counted as long as they are held", async () => {
  const message = fc.record({ text: fc.string({ maxLength: 200 }), coding: fc.constantFrom(0, 1) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 8 }),
      sizes,
      fc.boolean(),
      async (all, sizes, isBrotli) => {
        const pack = isBrotli ? brotliCompressSync : gzipSync;
        const body = all.map(({ text, coding }) =>
          enveloped(coding === 0 ? Buffer.from(text) : pack(Buffer.from(text)), coding),
        );
        const { messages, held } = await diverted("application/grpc", cut(Buffer.concat(body), sizes), {
          "grpc-encoding": isBrotli ? "br" : "gzip",
        });
        expect(messages).toEqual(all.map(({ text }) => text));
        expect(held).toBe(Buffer.byteLength(messages.join("")));
        const whole = Buffer.from(messages.join(""));
        const unary = await diverted("application/proto", cut(pack(whole), sizes), {
          "content-encoding": isBrotli ? "br" : "gzip",
        });
        expect([unary.messages, unary.held]).toEqual([[messages.join("")], whole.length]);
      },
    ),
    { numRuns: 100 },
  );
});

test("what inflates without end is given up at the limit, and never held beyond it", async () => {
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  for (const [type, body, headers] of [
    ["application/json", bomb, { "content-encoding": "gzip" }],
    ["application/grpc", enveloped(bomb, 1), { "grpc-encoding": "gzip" }],
  ] as const) {
    let most = 0;
    await expect(
      diverted(type, [body], headers).then((answer) => (most = answer.most)),
    ).rejects.toMatchObject({
      message: expect.stringContaining("more than 1048576 bytes"),
    });
    expect(most).toBeLessThan(2 << 20);
  }
});
