import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, expect, test } from "vitest";
import type { WriteKey } from "./testing/fake-ingest.ts";
import { type Rig, startRig } from "./testing/rig.ts";

let rig: Rig;
afterEach(() => rig?.close());

const events = [{ name: "x" }];

/** Sends with as many unknown write keys, each of its own. @returns how often each code was the answer. */
async function guess(count: number, from: string): Promise<Record<string, number>> {
  const codes: Record<string, number> = {};
  for (let at = 0; at < count; at++) {
    const client = rig.json(`ffw_guess${at}_` as WriteKey, { "x-forwarded-for": from });
    const error = await client.send({ events }).catch(ConnectError.from);
    const code = error instanceof ConnectError ? Code[error.code] : "OK";
    codes[code] = (codes[code] ?? 0) + 1;
    if (code === "ResourceExhausted") {
      expect(Number((error as ConnectError).metadata.get("retry-after"))).toBeGreaterThan(0);
    }
  }
  return codes;
}

test.each([
  "ffw_one",
  `ffw_${"x".repeat(43)}`,
  `ffw_${"x".repeat(49)}`,
  `ffr_${"x".repeat(49)}`,
  "AKIAIOSFODNN7EXAMPLE",
  "x".repeat(256),
])("%s has no key's form, and is looked up nowhere", async (key) => {
  rig = await startRig();
  for (const [path, type] of [
    ["footfall.collect.v1.CollectService/Send", "application/json"],
    ["v1/logs", "text/plain"],
  ]) {
    const headers = { authorization: `Bearer ${key}`, "content-type": type! };
    const answer = await fetch(`${rig.url}/${path}`, { method: "POST", headers, body: "{}" });
    expect([answer.status, await answer.text()]).toEqual([
      401,
      expect.stringContaining("no write key has this form"),
    ]);
  }
  expect(rig.ingest.lookUps).toBe(0);
});

test("keys that are guessed from one address are soon no longer looked up; others from it go on", async () => {
  rig = await startRig({ clientIpHeader: "x-forwarded-for" });
  const good = rig.json("ffw_one", { "x-forwarded-for": "203.0.113.1" });
  await good.send({ events });
  const codes = await guess(200, "203.0.113.1");
  expect(codes.Unauthenticated).toBeGreaterThanOrEqual(50);
  // 5 a second more: a slow machine takes some seconds for the 200.
  expect(codes.Unauthenticated).toBeLessThan(150);
  expect(codes.ResourceExhausted).toBe(200 - codes.Unauthenticated!);
  expect(rig.ingest.lookUps).toBe(1 + codes.Unauthenticated!);
  expect((await good.send({ events })).accepted).toBe(1);
  const elsewhere = rig.json("ffw_two", { "x-forwarded-for": "203.0.113.2" });
  expect((await elsewhere.send({ events })).accepted).toBe(1);
});

test("who opens streams with guessed keys is refused all the same", async () => {
  rig = await startRig();
  const codes = new Set<string>();
  for (let at = 0; at < 80; at++) {
    async function* requests() {
      yield { events };
    }
    try {
      for await (const _ of rig.grpc(`ffw_guess${at}_` as WriteKey).stream(requests())) codes.add("OK");
    } catch (error) {
      codes.add(Code[ConnectError.from(error).code]!);
    }
  }
  expect(codes).toEqual(new Set(["Unauthenticated", "ResourceExhausted"]));
  expect(rig.ingest.lookUps).toBeLessThan(80);
});

test("a load balancer's address is not counted: behind it is everybody", async () => {
  rig = await startRig({
    clientIpHeader: "x-forwarded-for",
    unlimited: [{ address: "10.0.0.0", prefix: 8 }],
  });
  expect(await guess(120, "10.1.2.3")).toEqual({ Unauthenticated: 120 });
});
