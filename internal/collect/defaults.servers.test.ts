import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterEach, expect, test } from "vitest";
import { testKey } from "../../test/kit/keys.ts";
import { CollectService } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Rig, startRig } from "./testing/rig.ts";

let rig: Rig;
afterEach(() => rig?.close());

// The merchant of ffw_two keeps whole addresses.
const EVENTS = [{ name: "bare" }, { name: "full", ip: "192.0.2.9", userAgent: "SDK/1" }];

/** Address and user agent of the stored events, by name. */
const stored = () =>
  Object.fromEntries(rig.publisher.rows().map(({ name, ip, userAgent }) => [name, [ip, userAgent]]));

test("Connect: the request's address and user agent, where the event does not tell", async () => {
  rig = await startRig();
  await rig.json("ffw_two", { "user-agent": "Mozilla/5.0 (test)" }).send({ events: EVENTS });
  expect(stored()).toEqual({ bare: ["127.0.0.1", "Mozilla/5.0 (test)"], full: ["192.0.2.9", "SDK/1"] });
});

test("gRPC: neither, since the request is a server's", async () => {
  rig = await startRig({ clientIpHeader: "x-forwarded-for" });
  await rig.grpc("ffw_two").send({ events: EVENTS });
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
  const headers = { authorization: `Bearer ${testKey("ffw_two")}`, "user-agent": "Mozilla/5.0 (web)" };
  await client.send({ events: EVENTS }, { headers });
  expect(stored().bare).toEqual(["127.0.0.1", "Mozilla/5.0 (web)"]);
});

test("an IPv4 client of an IPv6 socket has its IPv4 address", async () => {
  rig = await startRig({ host: "::" });
  await rig.json("ffw_two").send({ events: EVENTS });
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
  await rig.json("ffw_two", { "x-forwarded-for": header }).send({ events: EVENTS });
  expect(stored()).toMatchObject({ bare: [ip, expect.anything()], full: ["192.0.2.9", "SDK/1"] });
});

test("without a client-ip-header nobody can claim an address by one", async () => {
  rig = await startRig();
  await rig.json("ffw_two", { "x-forwarded-for": "203.0.113.7" }).send({ events: EVENTS });
  expect(stored().bare![0]).toBe("127.0.0.1");
});

test("a merchant's addresses are truncated unless it keeps whole ones, the request's and the events' alike", async () => {
  rig = await startRig({ clientIpHeader: "x-forwarded-for" });
  const events = [...EVENTS, { name: "v6", ip: "2001:db8:1:2::3" }];
  await rig.json("ffw_one", { "x-forwarded-for": "203.0.113.7" }).send({ events });
  const { bare, full, v6 } = stored();
  expect([bare![0], full![0], v6![0]]).toEqual(["203.0.113.0", "192.0.2.0", "2001:db8:1::"]);
  // Not even in passing: the batches' own bytes, dictionaries included.
  expect(rig.publisher.texts()).not.toMatch(/203\.0\.113\.7|192\.0\.2\.9|1:2::3/);
});

test("addresses of pages and referrers are cleaned of personal data before they are stored", async () => {
  rig = await startRig();
  const url = "https://shop.example/thanks?email=ann@example.com&order=7";
  const referrer = "https://mail.example/?token=s3cr3t";
  await rig.json().send({
    events: [
      { name: "a", url, referrer },
      { name: "b", url },
      { name: "c", referrer: url },
    ],
  });
  const clean = "https://shop.example/thanks?email=(redacted)&order=7";
  expect(rig.publisher.rows().map(({ url, referrer }) => [url, referrer])).toEqual([
    [clean, "https://mail.example/?token=(redacted)"],
    [clean, undefined],
    [undefined, clean],
  ]);
  expect(rig.publisher.texts()).not.toMatch(/ann@|s3cr3t/);
});
