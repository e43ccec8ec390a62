import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type MortalDatabase, openMortalDatabase } from "../../test/kit/database.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { LineProxy } from "../../test/kit/line-proxy.ts";
import { metric } from "../../test/kit/service.ts";
import { Load } from "./testing/load.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const PARTITION = 2;
const OWN = { partitions: String(PARTITION) };
const OWNED = "footfall_aggregator_partitions_owned";
const FAILURES = "footfall_aggregator_failures_total";

let rig: Rig<MortalDatabase>;
let load: Load;

beforeAll(async () => {
  rig = await Rig.open(openMortalDatabase(PARTITIONS));
  load = new Load(rig, [PARTITION]);
});

afterEach(() => rig?.stop());
afterAll(() => rig?.close());

test("the database killed in the middle", async () => {
  const service = await rig.start({ ...OWN, "commit-max-rows": "50" });
  const stop = load.keepPublishing();
  await load.progress(10);
  await rig.database.kill();
  await rig.database.start();
  await load.progress(10);
  await stop();
  await load.expectAllOnce();
  expect(await metric(service, FAILURES)).toBeGreaterThanOrEqual(1);
});

test("nats-server killed in the middle", async () => {
  await rig.start({ ...OWN, "commit-max-rows": "50" });
  const stop = load.keepPublishing();
  await load.progress(10);
  await rig.nats.kill();
  await rig.nats.start();
  await load.progress(10);
  await stop();
  await load.expectAllOnce();
});

test("a connection to nats-server that loses what is on its way and breaks, again and again", async () => {
  const proxy = await LineProxy.start(Number(new URL(rig.nats.url).port));
  try {
    await rig.start({ ...OWN, "commit-max-rows": "50", "nats-url": `nats://127.0.0.1:${proxy.port}` });
    const stop = load.keepPublishing();
    for (let round = 0; round < 3; round++) {
      await load.progress(5);
      proxy.meetOnce({ kind: "lose answers" });
      await load.publish(10);
      proxy.meetOnce({ kind: "cut" });
    }
    await load.progress(5);
    await stop();
    await load.expectAllOnce();
  } finally {
    await rig.stop();
    await proxy.close();
  }
});

test("one that has lost nats-server alone leaves the partition to another one that has not", async () => {
  const proxy = await LineProxy.start(Number(new URL(rig.nats.url).port));
  try {
    const cutOff = await rig.start({
      ...OWN,
      "nats-url": `nats://127.0.0.1:${proxy.port}`,
      "lease-ms": "6000",
    });
    const stop = load.keepPublishing();
    await load.progress(5);
    const other = await rig.start(OWN);
    expect(await metric(other, OWNED)).toBe(0);
    await proxy.close();
    await waitFor("the other one", async () => (await metric(other, OWNED)) === 1);
    await load.progress(5);
    await stop();
    await load.expectAllOnce();
    expect(await metric(cutOff, OWNED)).toBe(0);
  } finally {
    await rig.stop();
    await proxy.close().catch(() => {});
  }
});

test("one aggregator replaced by another, many times", async () => {
  const stop = load.keepPublishing();
  for (let i = 0; i < 4; i++) {
    const service = await rig.start({ ...OWN, "commit-max-rows": "50" });
    await load.progress(5);
    await service.stop();
  }
  await stop();
  await rig.start(OWN);
  await load.expectAllOnce();
});
