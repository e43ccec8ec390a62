import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { testKey } from "../../../test/kit/keys.ts";
import { type Rig, startRig } from "../testing/rig.ts";

let rig: Rig;
afterEach(() => rig?.close());

const PATH = "/footfall.collect.v1.CollectService/Send";

/** Begins a beacon without an API key that does not end. */
function beginBeacon() {
  const headers = { "content-type": "text/plain" };
  const sent = request({ port: rig.port, path: PATH, method: "POST", headers });
  sent.on("error", () => {});
  sent.write('{"events":');
  return sent;
}

async function statusOf(headers: Record<string, string>, body: string): Promise<number> {
  return (await fetch(rig.url + PATH, { method: "POST", headers, body })).status;
}

test("requests whose keys are not known yet leave room for those with one", async () => {
  rig = await startRig({ maxRequests: 8, merchantShare: 25 });
  // A third of what is free: two of eight.
  const held = [beginBeacon(), beginBeacon()];
  await expect.poll(() => rig.collector.limits.requests).toBe(2);
  const body = JSON.stringify({ key: testKey("ffw_one"), events: [{ name: "a" }] });
  expect(await statusOf({ "content-type": "text/plain" }, body)).toBe(429);
  const keyed = { "content-type": "text/plain", authorization: `Bearer ${testKey("ffw_one")}` };
  expect(await statusOf(keyed, body)).toBe(200);
  const labels = { limit: "merchant_requests" };
  expect(await rig.count("footfall_collector_limited_requests_total", labels)).toBe(1);
  for (const sent of held) sent.destroy();
  await expect.poll(() => rig.collector.limits.requests).toBe(0);
  expect(await statusOf({ "content-type": "text/plain" }, body)).toBe(200);
});
