import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CONSUMER } from "../../internal/stream/partition-feed.ts";
import { eventsStream } from "../../internal/stream/streams.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { metric } from "../../test/kit/service.ts";
import { Load } from "./testing/load.ts";
import {
  commitsSince,
  databaseTime,
  livingAggregators,
  owned,
  processMetric,
  settled,
  watchCommits,
} from "./testing/owners.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const OWNED = "footfall_aggregator_partitions_owned";
const LOST = "footfall_aggregator_leases_lost_total";
const TAKEOVERS = "footfall_aggregator_takeovers_total";

let rig: Rig;
let load: Load;

beforeAll(async () => {
  rig = await Rig.open();
  load = new Load(rig, ALL);
  await watchCommits(rig);
});

afterEach(() => rig?.stop());
afterAll(() => rig?.close());

/** When the feed of each partition was opened, as JetStream tells it. */
async function feedsOpened(): Promise<string[]> {
  const { consumers } = await jetstreamManager(rig.nc);
  return Promise.all(ALL.map(async (p) => (await consumers.info(eventsStream(p), CONSUMER)).created));
}

describe("shares", () => {
  test("two and three aggregators have even shares, one of them the refresher, and those left take all", async () => {
    const stop = load.keepPublishing();
    const first = await rig.start();
    await settled(rig, [4]);
    const second = await rig.start();
    await settled(rig, [2, 2]);
    const third = await rig.start();
    const shares = await settled(rig, [2, 1, 1]);
    await load.progress(5);
    const gauges = await Promise.all([first, second, third].map((one) => metric(one, OWNED)));
    expect(gauges.sort()).toEqual([1, 1, 2]);
    expect(new Set([...shares.values()].flat())).toEqual(new Set(ALL));
    expect([...(await owned(rig)).values()].flat().filter((one) => one === "refresher")).toHaveLength(1);
    await first.stop();
    await settled(rig, [2, 2]);
    expect((await livingAggregators(rig)).length).toBe(2);
    await second.stop();
    await settled(rig, [4]);
    await stop();
    await load.expectAllOnce();
    // All went hand in hand: nobody had to wait for a lease to run out.
    for (const one of [first, second, third]) {
      expect(await metric(one, TAKEOVERS)).toBe(0);
      expect(await metric(one, LOST)).toBe(0);
    }
  });

  test("with candidates: everything that somebody may work is worked", async () => {
    await rig.start({ partitions: "0-1" });
    await settled(rig, [2]);
    await rig.start();
    const shares = await settled(rig, [2, 2]);
    const [restricted, other] = await livingAggregators(rig);
    expect([shares.get(restricted!), shares.get(other!)]).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test("one that joins under load interrupts no partition that stays where it is", async () => {
    const stop = load.keepPublishing();
    const first = await rig.start();
    await load.progress(10);
    const [id] = await livingAggregators(rig);
    const [start, before] = [await databaseTime(rig), await feedsOpened()];
    await rig.start();
    const stays = (await settled(rig, [2, 2])).get(id!)!;
    await load.progress(20);
    const after = await feedsOpened();
    await stop();
    expect(stays.map((p) => after[p])).toEqual(stays.map((p) => before[p]));
    expect(await metric(first, "footfall_aggregator_failures_total")).toBe(0);
    for (const partition of stays) {
      const times = (await commitsSince(rig, start, [partition])).map(({ time }) => time);
      const gaps = times.slice(1).map((time, at) => time - times[at]!);
      // It commits every few ms; a partition that moves is away for about a tick, one that is taken over for 20 s.
      expect(Math.max(...gaps)).toBeLessThan(5_000);
    }
    await load.expectAllOnce();
  });
});

describe("takeover", () => {
  test("of one that is killed, within 10 s, whatever their clocks say", async () => {
    const stop = load.keepPublishing();
    // The settings of production.
    const settings = { "lease-ms": "6000", "lease-renew-ms": "1000" };
    const survivor = await rig.startProcess(settings, clockOff(-3_600_000));
    const victim = await rig.startProcess(settings, clockOff(3_600_000));
    const shares = await settled(rig, [2, 2]);
    const [own, other] = (await livingAggregators(rig)) as [string, string];
    const orphans = shares.get(other)!;
    await load.progress(10);
    // Neither takes the other for dead.
    expect(await settled(rig, [2, 2])).toEqual(shares);
    const killed = await databaseTime(rig);
    process.kill(victim.pid, "SIGKILL");
    await victim.exited;
    await load.progress(1, orphans);
    await settled(rig, [4]);
    for (const partition of orphans) {
      const commits = await commitsSince(rig, killed, [partition]);
      expect(commits.find(({ by }) => by === own)!.time - killed).toBeLessThan(10_000);
    }
    expect(await processMetric(survivor, TAKEOVERS)).toBeGreaterThanOrEqual(2);
    await stop();
    await load.expectAllOnce();
  });

  test("of one that stands still; when it wakes up, it commits nothing", async () => {
    const settings = { "lease-ms": "2000", "idle-in-transaction-timeout-ms": "1000" };
    const stop = load.keepPublishing();
    await rig.start(settings);
    const sleeper = await rig.startProcess(settings);
    await settled(rig, [2, 2]);
    const [awake, asleep] = (await livingAggregators(rig)) as [string, string];
    for (let round = 0; round < 2; round++) {
      const partitions = (await settled(rig, [2, 2])).get(asleep)!;
      await load.progress(10);
      process.kill(sleeper.pid, "SIGSTOP");
      await settled(rig, [4]);
      await load.progress(5);
      const last = (await commitsSince(rig, 0, partitions)).findLast(({ by }) => by === asleep)!.time;
      process.kill(sleeper.pid, "SIGCONT");
      await settled(rig, [2, 2]);
      await load.progress(5);
      // It gets a share again; until then, all commits are the other's.
      const regained = await acquired(asleep);
      const between = (await commitsSince(rig, last, partitions)).filter(({ time }) => time < regained);
      expect(new Set(between.map(({ by }) => by))).toEqual(new Set([awake]));
    }
    expect(await processMetric(sleeper, LOST)).toBeGreaterThanOrEqual(4);
    await stop();
    await load.expectAllOnce();
  });

  test("of leases that are taken away again and again, so that two work the same partition", async () => {
    const stop = load.keepPublishing();
    const services = [await rig.start(), await rig.start()];
    for (let round = 0; round < 8; round++) {
      await settled(rig, [2, 2]);
      await rig.query(
        `UPDATE leases SET owner_id = (SELECT instance_id FROM aggregators WHERE instance_id <> owner_id
           AND alive_until > now() LIMIT 1) WHERE until > now()`,
      );
      await load.progress(2);
    }
    await stop();
    await load.expectAllOnce();
    const lost = await Promise.all(services.map((one) => metric(one, LOST)));
    expect(lost[0]! + lost[1]!).toBeGreaterThan(0);
  });

  test("of the refresher, by one that did not commit what is stale", async () => {
    const refresher = await rig.startProcess({ partitions: "0", "lease-ms": "2000" });
    await waitFor("the refresher's lease", async () =>
      [...(await owned(rig)).values()].flat().includes("refresher"),
    );
    await rig.start({ partitions: "1-3" });
    await settled(rig, [3, 1]);
    process.kill(refresher.pid, "SIGKILL");
    await refresher.exited;
    await rig.start({ partitions: "0" });
    await load.publish(8);
    await load.expectAllOnce();
  });
});

/** When an aggregator got the oldest of the leases of partitions that it has now, by the database's clock, ms. */
async function acquired(id: string): Promise<number> {
  const rows = await rig.query<{ time: number }>(
    `SELECT (extract(epoch FROM min(acquired_at)) * 1000)::float8 AS time FROM leases
     WHERE owner_id = $1 AND resource LIKE 'partition/%'`,
    [id],
  );
  return rows[0]!.time;
}

/** An environment in which a process takes the time to be another. */
function clockOff(ms: number): Record<string, string> {
  const code = `const now = Date.now; Date.now = () => now() + ${ms};
    globalThis.Date = class extends Date { constructor(...a) { a.length ? super(...a) : super(Date.now()); } };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
