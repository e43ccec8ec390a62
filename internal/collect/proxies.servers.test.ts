import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import { sendRaw, sendRequest, textField } from "./testing/raw.ts";
import { type Rig, startRig } from "./testing/rig.ts";

let rig: Rig;
afterEach(() => rig?.close());

/** Addresses of the stored events, in the order of their names. */
const stored = () =>
  rig.publisher
    .rows()
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ ip }) => ip);

test("the hops that are trusted, and those that tell ports, brackets and nothing", async () => {
  rig = await startRig({ clientIpHeader: "x-forwarded-for", trustedProxies: { hops: 2 } });
  const headers = [
    "192.0.2.66, 203.0.113.9:51008, 198.51.100.1",
    "[2001:db8:1:2::9]:443, 198.51.100.1",
    "unknown, 198.51.100.1",
    "203.0.113.77",
  ];
  for (const [index, header] of headers.entries()) {
    await rig.json("ffw_one", { "x-forwarded-for": header }).send({ events: [{ name: `${index}` }] });
  }
  expect(stored()).toEqual(["203.0.113.0", "2001:db8:1::", undefined, "203.0.113.0"]);
});

test("Forwarded, as RFC 7239 has it", async () => {
  rig = await startRig({ clientIpHeader: "forwarded" });
  const forwarded = 'for=_hidden, for="[2001:db8:cafe::17]:4711";proto=https;by=203.0.113.43';
  await rig.json("ffw_two", { forwarded }).send({ events: [{ name: "a" }] });
  expect(stored()).toEqual(["2001:db8:cafe::17"]);
});

test.each([
  ["ffw_one", ["198.51.100.0", "2001:db8:1::", "203.0.113.0", "192.0.2.0"]],
  ["ffw_two", ["198.51.100.7", "2001:db8:1:2::9", "203.0.113.9", "::ffff:192.0.2.9"]],
] as const)("an event's own address may have a port and more, key %s", async (key, expected) => {
  rig = await startRig();
  const addresses = [
    "198.51.100.7:5678",
    "[2001:db8:1:2::9]:80",
    "10.0.0.1, 203.0.113.9",
    "::ffff:192.0.2.9",
  ];
  const events = addresses.map((ip, index) => ({ name: `${index}`, ip }));
  await rig.json(key).send({ events });
  expect(stored()).toEqual(expected);
  expect(rig.publisher.texts()).not.toMatch(/5678|\]:80|10\.0\.0/);
});

const BODY = '{"events":[{"name":"page_view"}]}';
const REQUEST = [
  "POST /footfall.collect.v1.CollectService/Send HTTP/1.1",
  "host: footfall.example",
  "connection: close",
  "content-type: application/json",
  `authorization: Bearer ${testKey("ffw_two")}`,
  `content-length: ${BODY.length}`,
  "",
  BODY,
].join("\r\n");

const V1 = "PROXY TCP4 203.0.113.9 192.0.2.1 51008 443\r\n";
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const V2_IPV6 = `${SIGNATURE}\x21\x21\0\x24\x20\x01\x0d\xb8${"\0".repeat(11)}\x09${"\0".repeat(20)}`;

/** What the collector answers to some writes, one after the other; "" when it hangs up. */
async function exchange(...writes: string[]): Promise<string> {
  const socket = connect(rig.port, "127.0.0.1");
  const answer = read(socket);
  for (const bytes of writes)
    await new Promise<void>((resolve) => socket.write(bytes, "latin1", () => resolve()));
  return await answer;
}

function read(socket: Socket): Promise<string> {
  let got = "";
  socket.on("data", (chunk) => {
    got += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  return new Promise((resolve) => socket.on("close", () => resolve(got)));
}

test("PROXY protocol: the client of an HTTP/1.1 connection, however the bytes come", async () => {
  rig = await startRig({ proxyProtocol: true });
  for (const writes of [[V1 + REQUEST], [V1, REQUEST], [...(V1 + REQUEST)]]) {
    expect(await exchange(...writes)).toMatch(/^HTTP\/1.1 200 /);
  }
  expect(await exchange(V2_IPV6, REQUEST)).toMatch(/^HTTP\/1.1 200 /);
  // The balancer's own connections.
  expect(await exchange(`${SIGNATURE}\x20\0\0\0${REQUEST}`)).toMatch(/^HTTP\/1.1 200 /);
  const addresses = rig.publisher.rows().map(({ ip }) => ip);
  const counted = (ip: string) => addresses.filter((one) => one === ip).length;
  expect([counted("203.0.113.9"), counted("2001:db8:0:0:0:0:0:9"), counted("127.0.0.1")]).toEqual([3, 1, 1]);
});

test("PROXY protocol: the balancer is a hop, its client may be a proxy too", async () => {
  const networks = [{ address: "203.0.113.0", prefix: 24 }];
  rig = await startRig({
    proxyProtocol: true,
    clientIpHeader: "x-forwarded-for",
    trustedProxies: { networks },
  });
  const request = REQUEST.replace("host:", "x-forwarded-for: 198.51.100.7\r\nhost:");
  expect(await exchange(V1 + request)).toMatch(/^HTTP\/1.1 200 /);
  expect(await exchange(V1.replace("203.0.113.9", "192.0.2.66") + request)).toMatch(/^HTTP\/1.1 200 /);
  expect(rig.publisher.rows().map(({ ip }) => ip)).toEqual(["198.51.100.7", "192.0.2.66"]);
});

test("PROXY protocol: a connection without it, or with another's, is closed without a word", async () => {
  rig = await startRig({ proxyProtocol: true });
  expect(await exchange(REQUEST)).toBe("");
  expect(await exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).toBe("");
  expect(await exchange(`${V1.replace("TCP4", "TCP6")}${REQUEST}`)).toBe("");
  expect(await exchange(V1 + REQUEST)).toMatch(/^HTTP\/1.1 200 /);
});

test("PROXY protocol: a header that does not come does not hold its connection for long", async () => {
  rig = await startRig({ proxyProtocol: true });
  expect(await exchange("PROXY TCP4 ")).toBe("");
});

test.each([
  ["one write", 1 << 20],
  ["byte by byte", 1],
])("PROXY protocol: gRPC behind it, %s", async (_, size) => {
  rig = await startRig({ proxyProtocol: true });
  const { port, close } = await balancer(rig.port, V2_IPV6, size);
  const { accepted } = await sendRaw(port, sendRequest([textField(2, "a")]));
  expect(accepted).toBe(1);
  close();
});

test("PROXY protocol: the client of an HTTP/2 connection", async () => {
  rig = await startRig({ proxyProtocol: true });
  const { port, close } = await balancer(rig.port, V1, 7);
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const headers = { "content-type": "application/json", authorization: `Bearer ${testKey("ffw_two")}` };
  const stream = session.request({
    ":method": "POST",
    ":path": "/footfall.collect.v1.CollectService/Send",
    ...headers,
  });
  await new Promise<void>((resolve) => stream.on("end", resolve).resume().end(BODY));
  expect(rig.publisher.rows().map(({ ip }) => ip)).toEqual(["203.0.113.9"]);
  session.destroy();
  close();
});

test("without PROXY protocol its header is no request", async () => {
  rig = await startRig();
  expect(await exchange(V1 + REQUEST)).toMatch(/^HTTP\/1.1 400 /);
});

/** A balancer of TCP: passes connections on, each with a header before it, which goes out in pieces. */
async function balancer(to: number, header: string, size: number) {
  const bytes = Buffer.from(header, "latin1");
  const server = createServer((client) => {
    const service = connect({ port: to, host: "127.0.0.1", noDelay: true });
    for (let at = 0; at < bytes.length; at += size) service.write(bytes.subarray(at, at + size));
    client.pipe(service).pipe(client);
    client.on("error", () => service.destroy());
    service.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
