import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CONSUMER } from "../../internal/stream/partition-feed.ts";
import { eventsStream, streamEnd } from "../../internal/stream/streams.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { loseTestStream } from "../../test/kit/nats.ts";
import { metric } from "../../test/kit/service.ts";
import { batchFor, PARTITIONS, Rig } from "./testing/rig.ts";

const PARTITION = 1;
const OWN = { partitions: String(PARTITION) };
const REWINDS = "footfall_aggregator_stream_rewinds_total";

let rig: Rig<TestDatabase>;
beforeAll(async () => {
  rig = await Rig.open(openTestDatabase(PARTITIONS));
});
afterEach(() => rig?.stop());
afterAll(() => rig?.close());

const loseStream = () => loseTestStream(rig.nc, PARTITION, PARTITIONS);

const rewinds = () =>
  rig.query<{ from: number; to: number }>(
    `SELECT from_seq::integer AS "from", to_seq::integer AS "to" FROM stream_rewinds ORDER BY seen_at`,
  );

const rows = async () =>
  (
    await rig.query<{ rows: number; ids: number; totals: number }>(
      `SELECT count(*)::integer AS rows, count(DISTINCT event_id)::integer AS ids,
         (SELECT coalesce(sum(events), 0)::integer FROM totals_15m) AS totals FROM events`,
    )
  )[0]!;

test("new batches in a stream that lost old ones are processed, old ones that come back count once", async () => {
  const old = [batchFor(PARTITION, 4), batchFor(PARTITION, 4), batchFor(PARTITION, 4)];
  for (const batch of old) await rig.publish(batch);
  const service = await rig.start({ ...OWN, "stream-changed-ms": "300" });
  for (const batch of old) await rig.committed(batch);
  await loseStream();
  // Two new batches with sequences that were used before, and an old one between them.
  const fresh = [batchFor(PARTITION, 4), batchFor(PARTITION, 4)];
  await rig.publish(fresh[0]!);
  await rig.publish(old[1]!, "again");
  await rig.publish(fresh[1]!);
  for (const batch of fresh) expect(await rig.committed(batch)).toMatchObject({ stored: 4, duplicates: 0 });
  await waitFor("the refresh", async () => (await rows()).totals === 20);
  expect(await rows()).toEqual({ rows: 20, ids: 20, totals: 20 });
  expect(await metric(service, REWINDS)).toBe(1);
  expect(await rewinds()).toEqual([{ from: 3, to: 0 }]);
});

test("while the partition is at rest it is seen, too: the same number of batches, but others", async () => {
  const service = await rig.start({ ...OWN, "stream-changed-ms": "300" });
  const before = await rows();
  const count = (await streamEnd(rig.nc, PARTITION)).lastSeq;
  await loseStream();
  for (let i = 0; i < count; i++) await rig.publish(batchFor(PARTITION, 1));
  await waitFor("the new rows", async () => (await rows()).rows === before.rows + count);
  expect(await metric(service, REWINDS)).toBe(1);
  expect((await rows()).ids).toBe(before.rows + count);
});

test("until the time is over the position stays, and nothing is passed over", async () => {
  const before = await rows();
  const service = await rig.start({ ...OWN, "stream-changed-ms": "3600000" });
  const last = batchFor(PARTITION, 1);
  await rig.publish(last);
  await rig.committed(last);
  await loseStream();
  await waitFor("failures", async () => (await metric(service, "footfall_aggregator_failures_total")) >= 3);
  expect(await metric(service, REWINDS)).toBe(0);
  expect(await rewinds()).toHaveLength(2);
  expect((await rows()).rows).toBe(before.rows + 1);
});

test("a consumer that delivers nothing is made anew", async () => {
  const service = await rig.start({ ...OWN, "feed-stall-ms": "500", "stream-changed-ms": "300" });
  const first = batchFor(PARTITION, 1);
  await rig.publish(first);
  await rig.committed(first);
  // What a consumer without a leader looks like: it is there, and silent.
  const { streams, consumers } = await jetstreamManager(rig.nc);
  const stream = eventsStream(PARTITION);
  const { subjects } = (await streams.info(stream)).config;
  await streams.update(stream, { subjects: [...subjects, "elsewhere"] });
  await consumers.update(stream, CONSUMER, { filter_subject: "elsewhere" });
  const second = batchFor(PARTITION, 1);
  await rig.publish(second);
  expect(await rig.committed(second)).toMatchObject({ stored: 1 });
  expect(await metric(service, "footfall_aggregator_failures_total")).toBeGreaterThanOrEqual(1);
});
