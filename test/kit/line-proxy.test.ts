import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { LineProxy } from "./line-proxy.ts";
import { NO_FAULT } from "./network-fault.ts";

/** Answers what it gets, in capitals. */
let server: Server;
let heard = "";
let proxy: LineProxy;
const clients: Client[] = [];

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard += bytes;
      socket.write(String(bytes).toUpperCase());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());

beforeEach(async () => {
  heard = "";
  proxy = await LineProxy.start((server.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await proxy.close();
});

class Client {
  readonly socket: Socket;
  got = "";
  closed = false;

  constructor() {
    this.socket = connect(proxy.port, "127.0.0.1");
    this.socket.on("data", (bytes) => {
      this.got += bytes;
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
    });
    clients.push(this);
  }

  async expectAnswer(text: string): Promise<void> {
    this.socket.write(text);
    await expect.poll(() => this.got, { timeout: 20_000 }).toContain(text.toUpperCase());
  }
}

test("without a fault bytes pass both ways, large amounts too", async () => {
  const client = new Client();
  await client.expectAnswer("hello");
  const large = "x".repeat(3_000_000);
  await client.expectAnswer(large);
  expect(heard.length).toBe(5 + large.length);
});

test("a cut breaks connections and refuses new ones until it is lifted", async () => {
  const client = new Client();
  await client.expectAnswer("hello");
  proxy.meet({ kind: "cut" });
  const second = new Client();
  await expect.poll(() => client.closed && second.closed).toBe(true);
  proxy.meet(NO_FAULT);
  await new Client().expectAnswer("again");
});

test("a stalled line takes connections and passes nothing, then all that was sent", async () => {
  const before = new Client();
  await before.expectAnswer("hello");
  proxy.meet({ kind: "stall" });
  const during = new Client();
  before.socket.write("one");
  during.socket.write("two");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([heard, before.closed, during.closed]).toEqual(["hello", false, false]);
  proxy.meet(NO_FAULT);
  await expect.poll(() => [before.got, during.got]).toEqual(["HELLOONE", "TWO"]);
});

test("delayed bytes come later, in order, and none is overtaken when the delay ends", async () => {
  const client = new Client();
  await client.expectAnswer("hello");
  proxy.meet({ kind: "delay", ms: 150 });
  const sent = performance.now();
  client.socket.write("a");
  await expect.poll(() => heard).toBe("helloa");
  expect(performance.now() - sent).toBeGreaterThan(140);
  proxy.meet(NO_FAULT);
  await client.expectAnswer("b");
  expect(client.got).toBe("HELLOAB");
});

test("lost answers: the server hears, the client does not, and its connection ends with the fault", async () => {
  const client = new Client();
  await client.expectAnswer("hello");
  proxy.meet({ kind: "lose answers" });
  client.socket.write("order");
  await expect.poll(() => heard).toBe("helloorder");
  proxy.meet(NO_FAULT);
  await expect.poll(() => client.closed).toBe(true);
  expect(client.got).toBe("HELLO");
});

test("a line that truncates passes part of what is sent, then breaks", async () => {
  const client = new Client();
  await client.expectAnswer("hello");
  proxy.meet({ kind: "truncate", bytes: 3 });
  client.socket.write("order");
  await expect.poll(() => client.closed).toBe(true);
  expect(heard).toBe("helloord");
});

test("a server that is away closes the client's connection", async () => {
  const nobody = await LineProxy.start(1);
  const socket = connect(nobody.port, "127.0.0.1");
  await new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
  await nobody.close();
});
