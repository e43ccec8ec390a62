import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { verifyArchive } from "../../internal/archive/verify.ts";
import { BUCKET } from "../../internal/embedded/s3/start.ts";
import { ARCHIVER } from "../../internal/stream/partition-feed.ts";
import { eventsStream } from "../../internal/stream/streams.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { metric } from "../../test/kit/service.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.open();
});
afterEach(() => rig?.stop());
afterAll(() => rig?.close());

const ALL = { from: undefined, to: undefined };

interface Line {
  readonly name: string;
  readonly kind: string;
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly batches: number;
  readonly reason: string | null;
}

const lines = (partition: number) =>
  rig.query<Line>(
    `SELECT name, kind, first_seq::integer AS first, last_seq::integer AS last, rows::integer, batches, reason
     FROM archive_objects WHERE partition_id = $1 ORDER BY first_seq, kind`,
    [partition],
  );

describe("what is published is archived once, in its order", () => {
  test("all partitions, several objects, acks at JetStream", async () => {
    const service = await rig.start();
    for (let i = 0; i < 40; i++) await rig.publish(i % PARTITIONS, 1 + (i % 7));
    for (let p = 0; p < PARTITIONS; p++) {
      await rig.reaches(p, 10);
      expect(await rig.archived(p)).toEqual(rig.published.get(p));
      const acked = async () => {
        const { consumers } = await jetstreamManager(rig.nc);
        return (await consumers.info(eventsStream(p), ARCHIVER.name)).ack_floor.stream_seq === 10;
      };
      await waitFor("the ack", acked);
    }
    const events = [...rig.published.values()].flat().length;
    expect(await metric(service, "footfall_archiver_rows_total")).toBe(events);
    expect(await metric(service, "footfall_archiver_batches_total")).toBe(40);
    expect(await metric(service, "footfall_archiver_held_bytes")).toBe(0);
    expect(await metric(service, "footfall_archiver_lag_seconds")).toBe(0);
    const name = (await lines(0))[0]!.name;
    const day = new Date().toISOString().slice(0, 8);
    expect(name).toMatch(
      new RegExp(`^events/partition=0000/date=${day}\\d\\d/0{15}1-\\d{16}-[0-9a-f]{16}\\.parquet$`),
    );
  });

  test("an object closes at its size, whatever its age", async () => {
    await rig.start({ "object-max-bytes": "2048", "object-max-age-ms": "3600000", partitions: "1" });
    const before = await rig.position(1);
    for (let i = 0; i < 20; i++) await rig.publish(1, 5);
    await rig.reaches(1, before + 5);
    const made = (await lines(1)).filter(({ first }) => first > before);
    expect(made.length).toBeGreaterThan(0);
    for (const { rows } of made) expect(rows).toBeGreaterThanOrEqual(10);
    await rig.stop();
    await rig.start({ partitions: "1" });
    await rig.reaches(1, before + 20);
    expect(await rig.archived(1)).toEqual(rig.published.get(1));
  });

  test("a new start goes on where the last one committed", async () => {
    for (let i = 0; i < 3; i++) {
      const service = await rig.start({ partitions: "2" });
      const before = await rig.position(2);
      for (let j = 0; j < 4; j++) await rig.publish(2);
      await rig.reaches(2, before + 4);
      await service.stop();
    }
    expect(await rig.archived(2)).toEqual(rig.published.get(2));
  });
});

test("a batch that cannot be read is kept as it is, with its reason, and counted in the ledger", async () => {
  await rig.start({ partitions: "3" });
  const bad = Buffer.from("no batch at all");
  await rig.publish(3);
  const seq = await rig.publishBytes(3, bad);
  await rig.publish(3);
  await rig.reaches(3, seq + 1);
  const aside = (await lines(3)).filter(({ kind }) => kind === "dead_letter");
  expect(aside).toMatchObject([{ first: seq, last: seq, batches: 1, rows: 0, reason: "MALFORMED" }]);
  expect(Buffer.from(await rig.s3.store.get(aside[0]!.name)).equals(bad)).toBe(true);
  expect(await rig.archived(3)).toEqual(rig.published.get(3));
});

test("sequences that the stream no longer has are written down, counted, and passed", async () => {
  const before = await rig.position(0);
  await rig.stop();
  for (let i = 0; i < 6; i++) await rig.publish(0, 1);
  const { streams } = await jetstreamManager(rig.nc);
  await streams.purge(eventsStream(0), { seq: before + 3 });
  await streams.deleteMessage(eventsStream(0), before + 5);
  const service = await rig.start({ partitions: "0" });
  await rig.reaches(0, before + 6);
  expect(
    await rig.query("SELECT first_seq::integer, last_seq::integer FROM archive_gaps ORDER BY 1"),
  ).toEqual([
    { first_seq: before + 1, last_seq: before + 2 },
    { first_seq: before + 5, last_seq: before + 5 },
  ]);
  expect(await metric(service, "footfall_archiver_gap_sequences_total")).toBe(3);
  const ids = rig.published.get(0)!;
  ids.splice(-6, 2);
  ids.splice(-2, 1);
  expect(await rig.archived(0)).toEqual(ids);
});

describe("verify", () => {
  test("finds nothing in a good archive, and counts what is there", async () => {
    const result = await verifyArchive(rig.database.pool, rig.s3.store, ALL);
    expect(result).toMatchObject({ ok: true, mismatches: [], unaccounted: [], orphans: [] });
    expect(result.rows).toBe([...rig.published.values()].flat().length);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const later = await verifyArchive(rig.database.pool, rig.s3.store, { from: tomorrow, to: undefined });
    expect(later).toMatchObject({ ok: true, objects: 0 });
  });

  test("finds a flipped bit, a missing object, a sequence nobody accounts for; names an orphan", async () => {
    await rig.start({ partitions: "1" });
    for (let i = 0; i < 3; i++) {
      const { length } = await lines(1);
      await rig.publish(1);
      await waitFor("its object", async () => (await lines(1)).length > length);
    }
    await rig.stop();
    const [flipped, missing, forgotten] = (await lines(1)).slice(-3) as [Line, Line, Line];
    const pathOf = (name: string) => join(rig.s3.dataDir, "buckets", BUCKET, "objects", "test", name);
    const file = `${pathOf(flipped.name)}.data`;
    const bytes = await readFile(file);
    bytes[100]! ^= 1;
    await writeFile(file, bytes);
    await rig.query("UPDATE archive_objects SET name = 'events/gone' WHERE name = $1", [missing.name]);
    await rig.query("DELETE FROM archive_objects WHERE name = $1", [forgotten.name]);
    const result = await verifyArchive(rig.database.pool, rig.s3.store, ALL);
    expect(result).toMatchObject({
      ok: false,
      mismatches: [
        { name: flipped.name, problem: expect.stringMatching(/^SHA-256 [0-9a-f]{64}, the ledger says/) },
        { name: "events/gone", problem: "is missing in the store" },
      ],
      unaccounted: [{ partition: 1, first: forgotten.first, last: forgotten.last }],
      orphans: [missing.name, forgotten.name],
    });
  });
});

test("a bucket that does not exist is a wrong setting", async () => {
  await expect(rig.start({ "s3-bucket": "nobodys" })).rejects.toThrow(
    'FOOTFALL_S3_BUCKET: "nobodys" cannot be used: 404',
  );
});
