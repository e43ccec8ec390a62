import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { merchantsOf, type TestBatch } from "../../internal/testkit/batches.ts";
import { type MortalDatabase, openMortalDatabase } from "../../internal/testkit/database.ts";
import { waitFor } from "../../internal/testkit/installation-wait.ts";
import { startProxy } from "../../internal/testkit/proxy.ts";
import { batchFor, metric, PARTITIONS, Rig } from "./testing/rig.ts";

const PARTITION = 2;
const ROWS = 5;
const [M] = merchantsOf(PARTITION, PARTITIONS, 1) as [number];
const OWN = { partitions: String(PARTITION) };
const WAIT_MS = 60_000;
const PACE_MS = 5;
const FAILURES = "footfall_aggregator_failures_total";

let rig: Rig<MortalDatabase>;
/** Batches that were published so far. */
const published: TestBatch[] = [];

beforeAll(async () => {
  rig = await Rig.open(openMortalDatabase(PARTITIONS));
});

afterEach(() => rig?.stop());
afterAll(() => rig?.close());

/** Publishes batches one after the other, each until it is acked. */
async function publish(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const batch = batchFor(PARTITION, ROWS);
    await rig.publish(batch);
    published.push(batch);
  }
}

/** Publishes all the time, a batch every few ms, until the returned function is called. */
function keepPublishing(): () => Promise<void> {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      await publish(1);
      await sleep(PACE_MS);
    }
  })();
  return () => {
    stopped = true;
    return running;
  };
}

const counts = async () =>
  (
    await rig.query<Record<string, number>>(
      `SELECT (SELECT count(*) FROM batch_ledger)::integer AS batches,
         (SELECT sum(stored) FROM batch_ledger)::integer AS stored,
         (SELECT sum(duplicates + rejected) FROM batch_ledger)::integer AS others,
         (SELECT count(*) FROM events WHERE merchant_id = ${M})::integer AS rows,
         (SELECT count(DISTINCT event_id) FROM events)::integer AS ids,
         (SELECT count(*) FROM stream_gaps)::integer AS gaps,
         (SELECT sum(events) FROM totals_15m)::integer AS totals,
         (SELECT count(*) FROM stale_buckets)::integer AS stale`,
    )
  )[0]!;

/** Everything that was published is there once, in rows, ledger and aggregate, and nothing was given up. */
async function expectAllOnce(): Promise<void> {
  const rows = published.length * ROWS;
  const done = async () => {
    const now = await counts();
    return now.batches === published.length && now.stale === 0 && now;
  };
  expect(await waitFor(`${published.length} batches in the ledger`, done, WAIT_MS)).toEqual({
    batches: published.length,
    stored: rows,
    others: 0,
    rows,
    ids: rows,
    gaps: 0,
    totals: rows,
    stale: 0,
  });
}

/** Waits until some batches more than now are committed. */
async function progress(batches: number): Promise<void> {
  const { batches: before } = await counts();
  await waitFor("commits", async () => (await counts()).batches! >= before! + batches, WAIT_MS);
}

test("the database killed in the middle", async () => {
  const service = await rig.start({ ...OWN, "commit-max-rows": "50" });
  const stop = keepPublishing();
  await progress(10);
  await rig.database.kill();
  await rig.database.start();
  await progress(10);
  await stop();
  await expectAllOnce();
  expect(await metric(service, FAILURES)).toBeGreaterThanOrEqual(1);
});

test("nats-server killed in the middle", async () => {
  await rig.start({ ...OWN, "commit-max-rows": "50" });
  const stop = keepPublishing();
  await progress(10);
  await rig.nats.kill();
  await rig.nats.start();
  await progress(10);
  await stop();
  await expectAllOnce();
});

test("a connection to nats-server that loses what is on its way and breaks, again and again", async () => {
  const proxy = await startProxy(Number(new URL(rig.nats.url).port));
  try {
    await rig.start({ ...OWN, "commit-max-rows": "50", "nats-url": `nats://127.0.0.1:${proxy.port}` });
    const stop = keepPublishing();
    for (let round = 0; round < 3; round++) {
      await progress(5);
      proxy.loseAnswers();
      await publish(10);
      proxy.cut();
    }
    await progress(5);
    await stop();
    await expectAllOnce();
  } finally {
    await rig.stop();
    await proxy.close();
  }
});

describe("two aggregators of one partition", () => {
  test("both at work at once: every event once", async () => {
    const stop = keepPublishing();
    const first = await rig.start(OWN);
    await progress(5);
    // Each ends the other's feed, and both start over: that must not keep them from going on.
    const second = await rig.start(OWN);
    await progress(40);
    await stop();
    await expectAllOnce();
    const failures = await Promise.all([first, second].map((one) => metric(one, FAILURES)));
    expect(failures[0]! + failures[1]!).toBeGreaterThanOrEqual(1);
  });

  test("one that is replaced by another, many times", async () => {
    const stop = keepPublishing();
    for (let i = 0; i < 4; i++) {
      const service = await rig.start({ ...OWN, "commit-max-rows": "50" });
      await progress(5);
      await service.stop();
    }
    await stop();
    await rig.start(OWN);
    await expectAllOnce();
  });
});
