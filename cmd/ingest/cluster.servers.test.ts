import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BatchStatus } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { eventsStream } from "../../internal/stream/streams.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { CLUSTER_START_MS, openTestNatsCluster, type TestNatsCluster } from "../../test/kit/nats-cluster.ts";
import { TestPublishStream } from "../../test/kit/publish-stream.ts";
import { goodBatch, P, Rig } from "./testing/rig.ts";

let rig: Rig;
let cluster: TestNatsCluster;

beforeAll(async () => {
  [rig, cluster] = await Promise.all([Rig.open(), openTestNatsCluster()]);
}, CLUSTER_START_MS);

afterAll(async () => {
  await rig?.close();
  await cluster?.close();
});

const settings = () => ({
  "nats-url": cluster.url,
  "nats-monitor-url": cluster.monitorUrl,
  "stream-replicas": "3",
  "stream-max-bytes": String(16 << 20),
});

test("strict refuses servers that do not write before the ack, and streams without enough replicas", async () => {
  const nc = await cluster.connect();
  const canSyncAlways = Number(nc.info!.version.split(".")[1]) >= 10;
  const strict = { ...settings(), "stream-durability": "strict" };
  if (canSyncAlways) await (await rig.start(strict)).stop();
  else await expect(rig.start(strict)).rejects.toThrow(/nats-1 .*sync_interval is not known/);
  await (await rig.start(settings())).stop();
  await expect(rig.start({ ...settings(), "stream-replicas": "1" })).rejects.toThrow(
    /: num_replicas is 3, promised 1/,
  );
});

test("streams have three replicas, and a batch that was STORED is there when its leader is gone", async () => {
  const { client } = await rig.start(settings());
  const jsm = await jetstreamManager(await cluster.connect());
  const { config, cluster: info } = await jsm.streams.info(eventsStream(P));
  expect(config.num_replicas).toBe(3);
  const stream = new TestPublishStream(client);
  const batch = goodBatch();
  stream.send(batch.bytes);
  expect(await stream.answer(batch.id)).toMatchObject({ status: BatchStatus.STORED });
  await cluster.nodes.find(({ name }) => name === info!.leader)!.kill();
  const stored = await waitFor(
    "a new leader",
    () => jsm.streams.getMessage(eventsStream(P), { seq: 1 }).then((message) => message ?? undefined),
    60_000,
  );
  expect(Buffer.from(stored.data).equals(batch.bytes)).toBe(true);
  await waitFor(
    "batches to be stored again",
    async () => {
      const next = goodBatch();
      stream.send(next.bytes);
      return (await stream.answer(next.id)).status === BatchStatus.STORED;
    },
    60_000,
  );
  stream.halfClose();
}, 180_000);
