import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { type NatsCluster, startNatsCluster } from "./cluster.ts";
import { electedLeader, stepDownLeader } from "./leader.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let cluster: NatsCluster;
let nc: NatsConnection;

beforeAll(async () => {
  directory = await temporaryDirectory("nats-cluster");
  cluster = await startNatsCluster({ dataDir: directory.path });
  nc = await connect({ servers: cluster.url.split(","), maxReconnectAttempts: -1 });
}, 120_000);

afterAll(async () => {
  await nc?.close();
  await cluster?.stop();
  await directory.remove();
});

test("three servers carry a stream of three replicas, whose leader can be changed and killed", async () => {
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "S", subjects: ["s"], num_replicas: 3 });
  const names = cluster.nodes.map(({ name }) => name);
  const { cluster: info } = await jsm.streams.info("S");
  expect([info!.leader, ...info!.replicas!.map(({ name }) => name)].sort()).toEqual(names);
  await jetstream(nc).publish("s", "one");
  expect(names).toContain(await stepDownLeader(nc, "S"));
  const leader = await electedLeader(nc, "S");
  const node = cluster.nodes.find(({ name }) => name === leader)!;
  await node.kill();
  expect(node.pid).toBeUndefined();
  await expect
    .poll(
      () =>
        jetstream(nc)
          .publish("s", "two", { msgID: "two" })
          .catch(() => undefined),
      {
        timeout: 60_000,
      },
    )
    .toMatchObject({ seq: 2 });
  await node.start();
  expect((await fetch(`${node.monitorUrl}/healthz`)).status).toBe(200);
  expect((await jsm.streams.info("S")).state).toMatchObject({ messages: 2, first_seq: 1 });
}, 180_000);
