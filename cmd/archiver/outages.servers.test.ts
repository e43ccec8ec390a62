import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { verifyArchive } from "../../internal/archive/verify.ts";
import { archiver } from "../../internal/config/programs/archiver.ts";
import { type MortalDatabase, openMortalDatabase } from "../../test/kit/database.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { launch } from "../../test/kit/launch.ts";
import { argumentsOf, metric } from "../../test/kit/service.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const PARTITION = 2;
const OWN = { partitions: String(PARTITION), "object-max-age-ms": "100" };
const WAIT_MS = 60_000;
const PACE_MS = 5;

let rig: Rig<MortalDatabase>;

beforeAll(async () => {
  rig = await Rig.open(openMortalDatabase(PARTITIONS));
});
afterEach(() => rig?.stop());
afterAll(() => rig?.close());

/** Publishes all the time, a batch every few ms, until the returned function is called. */
function keepPublishing(): () => Promise<void> {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      await rig.publish(PARTITION);
      await sleep(PACE_MS);
    }
  })();
  return () => {
    stopped = true;
    return running;
  };
}

/** Waits until some batches more than now are archived. */
async function progress(batches: number): Promise<void> {
  const before = await waitFor("the position", async () => ({ seq: await rig.position(PARTITION) }), WAIT_MS);
  await rig.reaches(PARTITION, before.seq + batches);
}

/** Everything that was published is in the archive once, and the store holds nothing else. */
async function expectAllOnce(): Promise<void> {
  const published = rig.published.get(PARTITION)!;
  const sum = "SELECT coalesce(sum(rows), 0)::integer AS n FROM archive_objects";
  const count = async () => (await rig.query<{ n: number }>(sum))[0]!.n;
  await waitFor("all events", async () => (await count()) >= published.length, WAIT_MS);
  expect(await rig.archived(PARTITION)).toEqual(published);
  const all = { from: undefined, to: undefined };
  expect(await verifyArchive(rig.database.pool, rig.s3.store, all)).toMatchObject({
    ok: true,
    rows: published.length,
    mismatches: [],
    orphans: [],
  });
  expect(await rig.query("SELECT * FROM archive_gaps")).toEqual([]);
}

/** An archiver in a process of its own, which ends with its test: one that is left would archive for the next. */
function launchArchiver(settings: Readonly<Record<string, string>> = {}) {
  const flags = rig.flags({ ...OWN, "ops-port": "0", "log-level": "error", ...settings });
  const { argv, env } = argumentsOf(archiver, flags);
  const running = launch("archiver", { args: argv, env });
  onTestFinished(() => void running.process.kill("SIGKILL"));
  return running;
}

test.each(["archive-put.before", "archive-put.after"])(
  "death at the failpoint %s, twice",
  async (failpoint) => {
    const stop = keepPublishing();
    for (let round = 0; round < 2; round++) {
      const armed = { failpoints: failpoint, "allow-failpoints": "true", "lease-ms": "300" };
      const { finished } = launchArchiver(armed);
      expect((await finished).code).toBeNull();
    }
    const { process } = launchArchiver({ "lease-ms": "300" });
    await progress(3);
    await stop();
    await expectAllOnce();
    process.kill("SIGKILL");
  },
);

// Seven archivers are started one after another: about 50 s on two cores.
test("kill -9 of the archiver at any moment: every event once, and no object twice under another name", async () => {
  const stop = keepPublishing();
  for (let round = 0; round < 6; round++) {
    const { process } = launchArchiver({ "object-max-age-ms": "50", "lease-ms": "300" });
    await progress(3);
    // Somewhere within the next rounds of gather, put and commit.
    await sleep(Math.random() * 150);
    process.kill("SIGKILL");
  }
  await stop();
  await rig.start({ ...OWN, "lease-ms": "300" });
  await expectAllOnce();
}, 120_000);

describe("the store", () => {
  test("killed and started again: puts are tried until it takes them, with nothing lost or fetched twice", async () => {
    const service = await rig.start(OWN);
    const stop = keepPublishing();
    await progress(5);
    await rig.s3.kill();
    await waitFor(
      "a failed put",
      async () => (await metric(service, "footfall_archiver_put_failures_total")) > 0,
    );
    expect(await metric(service, "footfall_archiver_lag_seconds")).toBeGreaterThan(0);
    await rig.s3.start();
    await progress(5);
    await stop();
    await expectAllOnce();
    expect(await metric(service, "footfall_archiver_failures_total")).toBe(0);
  });

  test("away at the start: the archiver waits for it", async () => {
    await rig.s3.kill();
    const service = await rig.start(OWN);
    await rig.publish(PARTITION);
    await waitFor(
      "a failed put",
      async () => (await metric(service, "footfall_archiver_put_failures_total")) > 0,
    );
    await rig.s3.start();
    await expectAllOnce();
  });

  test("away at a stop: the archiver ends all the same, and the next one goes on", async () => {
    const service = await rig.start(OWN);
    await rig.s3.kill();
    await rig.publish(PARTITION);
    await waitFor(
      "a failed put",
      async () => (await metric(service, "footfall_archiver_put_failures_total")) > 0,
    );
    await service.stop();
    await rig.s3.start();
    // What comes meanwhile does not change the object that was about to be put.
    await rig.publish(PARTITION);
    await rig.start(OWN);
    await expectAllOnce();
  });
});

test("the database killed in the middle", async () => {
  await rig.start(OWN);
  const stop = keepPublishing();
  await progress(10);
  await rig.database.kill();
  await rig.database.start();
  await progress(10);
  await stop();
  await expectAllOnce();
});

test("nats-server killed in the middle", async () => {
  await rig.start(OWN);
  const stop = keepPublishing();
  await progress(10);
  await rig.nats.kill();
  await rig.nats.start();
  await progress(10);
  await stop();
  await expectAllOnce();
});

describe("two archivers of one partition", () => {
  test("one works, and the other takes over when it stops", async () => {
    const stop = keepPublishing();
    const first = await rig.start(OWN);
    await progress(5);
    const second = await rig.start(OWN);
    await progress(20);
    expect(await metric(second, "footfall_archiver_batches_total")).toBe(0);
    await first.stop();
    await progress(5);
    await stop();
    await expectAllOnce();
    expect(await metric(second, "footfall_archiver_batches_total")).toBeGreaterThan(0);
  });

  test("one that was paused, and wakes up after another took over, doubles nothing", async () => {
    const stop = keepPublishing();
    const paused = launchArchiver({ "lease-ms": "300" });
    await progress(5);
    for (let round = 0; round < 3; round++) {
      paused.process.kill("SIGSTOP");
      const other = await rig.start({ ...OWN, "lease-ms": "300" });
      await progress(10);
      paused.process.kill("SIGCONT");
      await progress(10);
      await other.stop();
      await progress(5);
    }
    await stop();
    paused.process.kill("SIGTERM");
    expect((await paused.finished).code).toBe(0);
    await rig.start(OWN);
    await expectAllOnce();
  });
});
