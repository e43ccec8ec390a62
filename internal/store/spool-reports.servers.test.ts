import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { type Freshness, readFreshness } from "./freshness.ts";
import { inSnapshot } from "./snapshot.ts";
import { forgetSpool, type HeldBack, listSpools, MAX_SPOOLS, writeSpoolReport } from "./spool-reports.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(2);
});
afterAll(() => database?.close());

const spoolId = randomUUID();
const MINUTE = 60_000;

const tell = (...heldBack: HeldBack[]) =>
  writeSpoolReport(database.pool, { spoolId, collectorId: "edge", heldBack });
const events = (partition: number, count: number, oldestAgeMs: number) => ({
  partition,
  events: count,
  oldestAgeMs,
});

function freshness(partition: number): Promise<Freshness> {
  return inSnapshot(database.pool, { statementTimeoutMs: 10_000 }, (client) =>
    readFreshness(client, partition),
  );
}

/** All that was stored so many ms before now, or after, is committed. @returns that time, ms. */
async function commitThrough(partition: number, fromNowMs: number): Promise<number> {
  const { rows } = await database.pool.query<{ ms: number }>(
    `UPDATE partitions SET committed_through = now() + $2 * interval '1 ms' WHERE partition_id = $1
     RETURNING floor(extract(epoch FROM committed_through) * 1000)::float8 AS ms`,
    [partition, fromNowMs],
  );
  return rows[0]!.ms;
}

beforeEach(async () => {
  await database.pool.query("DELETE FROM spool_reports");
});

test("without spools a partition is fresh as far as it is committed", async () => {
  const through = await commitThrough(0, 0);
  expect(await freshness(0)).toEqual({ dataThrough: through, delayedEvents: 0n, delayedSince: undefined });
});

test("what a spool holds keeps its partition's data_through behind it, and no other's", async () => {
  await Promise.all([commitThrough(0, 0), commitThrough(1, 0)]);
  const before = Date.now();
  await tell(events(0, 5, MINUTE));
  const held = await freshness(0);
  expect(held.delayedEvents).toBe(5n);
  expect(held.dataThrough).toBe(held.delayedSince);
  expect(held.dataThrough).toBeLessThanOrEqual(Date.now() - MINUTE);
  expect(held.dataThrough).toBeGreaterThan(before - MINUTE - 5_000);
  expect((await freshness(1)).delayedEvents).toBe(0n);
  expect((await freshness(1)).dataThrough).toBeGreaterThan(before - 5_000);
});

test("what left a spool is waited for until its partition is committed through the time of that", async () => {
  await tell(events(0, 5, MINUTE));
  const through = await commitThrough(0, 0);
  await tell();
  const drained = await freshness(0);
  expect([drained.delayedEvents, drained.delayedSince]).toEqual([0n, undefined]);
  expect(drained.dataThrough).toBeLessThanOrEqual(through - MINUTE);
  const later = await commitThrough(0, 10_000);
  expect((await freshness(0)).dataThrough).toBe(later);
});

test("of what is drained bit by bit the first stays waited for", async () => {
  await commitThrough(0, 0);
  await tell(events(0, 9, 3 * MINUTE));
  await tell(events(0, 6, 2 * MINUTE));
  await tell(events(0, 3, MINUTE));
  const { dataThrough, delayedEvents } = await freshness(0);
  expect(delayedEvents).toBe(3n);
  expect(dataThrough).toBeLessThanOrEqual(Date.now() - 3 * MINUTE);
  await commitThrough(0, 10_000);
  expect((await freshness(0)).dataThrough).toBeGreaterThan(Date.now() - 2 * MINUTE);
});

test("a partition that nothing was processed of has no data_through, but what waits is told", async () => {
  await database.pool.query("UPDATE partitions SET committed_through = NULL WHERE partition_id = 1");
  await tell(events(1, 2, MINUTE));
  expect(await freshness(1)).toMatchObject({ dataThrough: undefined, delayedEvents: 2n });
});

test("a collector that vanished stays known until an operator forgets its spool", async () => {
  const through = await commitThrough(0, 10_000);
  await tell(events(0, 5, MINUTE), events(1, 2, 2 * MINUTE));
  expect(await listSpools(database.pool)).toMatchObject([
    { spoolId, collectorId: "edge", events: 7, partitions: 2 },
  ]);
  expect((await freshness(0)).dataThrough).toBeLessThan(through);
  expect(await forgetSpool(database.pool, spoolId)).toBe(true);
  expect(await forgetSpool(database.pool, spoolId)).toBe(false);
  expect((await freshness(0)).dataThrough).toBe(through);
});

test("spools beyond a limit are refused, those that are known are not", async () => {
  await tell(events(0, 1, 0));
  await database.pool.query(
    `INSERT INTO spool_reports (spool_id, partition_id, collector_id, events)
     SELECT gen_random_uuid(), 0, 'x', 0 FROM generate_series(1, $1)`,
    [MAX_SPOOLS - 1],
  );
  await tell(events(0, 2, 0));
  const report = { spoolId: randomUUID(), collectorId: "new", heldBack: [events(0, 1, 0)] };
  await expect(writeSpoolReport(database.pool, report)).rejects.toThrow(
    /^spools: 10000 others are known, forget/,
  );
});
