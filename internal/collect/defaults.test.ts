import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterEach, expect, test } from "vitest";
import { CollectService } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Rig, startRig } from "./testing/rig.ts";

let rig: Rig;
afterEach(() => rig?.close());

const EVENTS = [{ name: "bare" }, { name: "full", ip: "192.0.2.9", userAgent: "SDK/1" }];

/** Address and user agent of the stored events, by name. */
const stored = () =>
  Object.fromEntries(rig.publisher.rows().map(({ name, ip, userAgent }) => [name, [ip, userAgent]]));

test("Connect: the request's address and user agent, where the event does not tell", async () => {
  rig = await startRig();
  await rig.json("ffw_one", { "user-agent": "Mozilla/5.0 (test)" }).send({ events: EVENTS });
  expect(stored()).toEqual({ bare: ["127.0.0.1", "Mozilla/5.0 (test)"], full: ["192.0.2.9", "SDK/1"] });
});

test("gRPC: neither, since the request is a server's", async () => {
  rig = await startRig({ clientIpHeader: "x-forwarded-for" });
  await rig.grpc().send({ events: EVENTS });
  expect(stored()).toEqual({ bare: [undefined, undefined], full: ["192.0.2.9", "SDK/1"] });
});

test.each([
  ["gRPC-Web", createGrpcWebTransport],
  ["Connect's binary form", createConnectTransport],
])("%s: as Connect's JSON", async (_, createTransport) => {
  rig = await startRig();
  const client = createClient(
    CollectService,
    createTransport({ baseUrl: rig.url, httpVersion: "1.1", useBinaryFormat: true }),
  );
  const headers = { authorization: "Bearer ffw_one", "user-agent": "Mozilla/5.0 (web)" };
  await client.send({ events: EVENTS }, { headers });
  expect(stored().bare).toEqual(["127.0.0.1", "Mozilla/5.0 (web)"]);
});

test("an IPv4 client of an IPv6 socket has its IPv4 address", async () => {
  rig = await startRig({ host: "::" });
  await rig.json().send({ events: EVENTS });
  expect(stored().bare![0]).toBe("127.0.0.1");
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["198.51.100.1, 203.0.113.7", "203.0.113.7"],
  ["spoofed, 10.0.0.1 ,2001:db8::7 ", "2001:db8::7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["", "127.0.0.1"],
])("with a client-ip-header %j counts %s", async (header, ip) => {
  rig = await startRig({ clientIpHeader: "x-forwarded-for" });
  await rig.json("ffw_one", { "x-forwarded-for": header }).send({ events: EVENTS });
  expect(stored()).toMatchObject({ bare: [ip, expect.anything()], full: ["192.0.2.9", "SDK/1"] });
});

test("without a client-ip-header nobody can claim an address by one", async () => {
  rig = await startRig();
  await rig.json("ffw_one", { "x-forwarded-for": "203.0.113.7" }).send({ events: EVENTS });
  expect(stored().bare![0]).toBe("127.0.0.1");
});
