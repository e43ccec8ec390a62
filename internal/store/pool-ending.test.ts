import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool, type Pool, transaction } from "./pool.ts";

/** A message of PostgreSQL's protocol: its kind, its length, its body. */
function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

const AUTHENTICATION_OK = message("R", Buffer.alloc(4));
const READY = message("Z", Buffer.from("I"));
const SHUTTING_DOWN = message(
  "E",
  Buffer.from("SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0"),
);

/** A server that dies as it has let somebody in: welcome and farewell come in one piece. */
let server: Server;
let pool: Pool;

beforeAll(async () => {
  server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(Buffer.concat([AUTHENTICATION_OK, READY, SHUTTING_DOWN])));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const url = `postgres://anybody@127.0.0.1:${port}/any`;
  pool = createPool({ url, name: "ending", maxConnections: 2, statementTimeoutMs: 5_000 });
});
afterAll(async () => {
  await pool.end();
  server.close();
});

test("a server that ends a session in the moment of its beginning fails the statement, not the process", async () => {
  await expect(pool.query("SELECT 1")).rejects.toThrow();
  await expect(transaction(pool, (client) => client.query("SELECT 1"))).rejects.toThrow();
});
