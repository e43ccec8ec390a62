import { constants } from "node:http2";
import { Server } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { Health } from "../gen/health_pb.js";
import { addHealthCheck, bind } from "./grpc-js.ts";
import { guardGrpcPort } from "./grpc-port-guard.ts";
import { HealthState } from "./health.ts";
import { DEFAULT_LIMITS, type PortLimits } from "./port-limits.ts";
import { HostileClient, lifeOf, statusOf } from "./testing/hostile-client.ts";

const GRPC = { ":method": "POST", "content-type": "application/grpc", te: "trailers" } as const;
const CHECK = `/${Health.typeName}/${Health.method.check.name}`;

let server: Server;
let client: HostileClient;
let endGuard: () => void;
afterEach(() => {
  client?.close();
  endGuard?.();
  server?.forceShutdown();
});

async function start(limits: Partial<PortLimits>, endless: readonly string[] = []): Promise<void> {
  server = new Server({ "grpc.max_connection_idle_ms": 500 });
  addHealthCheck(server, new HealthState([]));
  const port = await bind(server, "127.0.0.1", 0);
  endGuard = guardGrpcPort(
    port,
    { ...DEFAULT_LIMITS, isUnlimited: () => false, ...limits },
    new Set(endless),
  );
  client = new HostileClient(port);
}

/** The status of a health check from an address of this machine. */
async function check(from: string): Promise<number | string> {
  const stream = (await client.session(from)).request({ ...GRPC, ":path": CHECK });
  stream.end(Buffer.alloc(5));
  return statusOf(stream);
}

test("a grpc-js server: thousands of connections from one address are reset, another is served", async () => {
  await start({ connectionsPerAddress: 50 });
  const sockets = [];
  for (let at = 0; at < 1_000; at++) sockets.push(await client.open());
  expect(await check("127.0.0.2")).toBe(200);
  expect(sockets.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(50);
});

test("a grpc-js server: no more connections than it may have in all, and none that are idle for long", async () => {
  await start({ maxConnections: 20, idleTimeoutMs: 1_000 });
  const sockets = [];
  for (let at = 0; at < 200; at++) sockets.push(await client.open());
  const standing = sockets.filter((socket) => !socket.destroyed);
  expect(standing.length).toBeLessThanOrEqual(20);
  await Promise.all(standing.map(lifeOf));
  expect(await check("127.0.0.2")).toBe(200);
});

test("a grpc-js server: a message that never ends is given up; a stream may take its time", async () => {
  await start({ bodyTimeoutMs: 300 }, ["/endless"]);
  const session = await client.session();
  const endless = session.request({ ...GRPC, ":path": "/endless" });
  endless.on("error", () => {});
  const stuck = session.request({ ...GRPC, ":path": CHECK });
  stuck.write(Buffer.alloc(3));
  expect(await statusOf(stuck)).toBe(`closed ${constants.NGHTTP2_CANCEL}`);
});
