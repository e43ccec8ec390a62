import { afterAll, beforeAll, expect, test } from "vitest";
import { PERSON_HASHES, visitorHash } from "../../internal/aggregate/steps/visitor.ts";
import { beginErasure } from "../../internal/store/erasure/begin.ts";
import { runErasure } from "../../internal/store/erasure/run.ts";
import { merchantsOf, type TestEvent, testBatch } from "../../test/kit/batches.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { metric } from "../../test/kit/service.ts";
import { PARTITIONS, Rig } from "./testing/rig.ts";

const PARTITION = 2;
const NOON = Date.UTC(2026, 2, 29, 12);
const MINUTE = 60_000;
const [A, B] = merchantsOf(PARTITION, PARTITIONS, 2) as [number, number];

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
});
afterAll(() => rig?.close());

/** Page views of three visitors of two merchants; every second without an event id, which no key protects. */
function pages(count: number, from: number): TestEvent[] {
  return Array.from({ length: count }, (_, at) => ({
    merchantId: at % 3 === 0 ? B : A,
    visitorId: `v${at % 4}`,
    time: NOON + (from + at) * MINUTE,
    ...(at % 2 === 0 && { eventId: crypto.randomUUID() }),
  }));
}

const isErased = ({ merchantId, visitorId }: TestEvent) => merchantId === A && visitorId === "v1";

/** Page views a visitor, by plain SQL and by the aggregate's sum. */
async function stored() {
  const [counted] = await rig.query<{ rows: number; erased: number; aggregated: number }>(
    `SELECT count(*)::integer AS rows, count(*) FILTER (WHERE merchant_id = $1 AND visitor_id = $2)::integer AS erased,
       (SELECT sum(events)::integer FROM totals_15m) AS aggregated FROM events`,
    [A, visitorHash(A, "v1")],
  );
  return counted!;
}

const erase = async () => {
  const erasure = await beginErasure(
    rig.pool,
    { merchantId: A, person: { kind: "visitor", hash: visitorHash(A, "v1") } },
    PARTITION,
  );
  return runErasure(rig.pool, erasure, { refreshWaitMs: 30_000, streamMaxAgeMs: 1 });
};

test("an erased visitor stays away: redelivered, redriven, spooled for a day, replayed, by a new aggregator too", async () => {
  const aggregator = await rig.start();
  const events = pages(60, 0);
  const gone = events.filter(isErased).length;
  const batch = testBatch(events, { partition: PARTITION });
  await rig.publish(batch);
  await rig.committed(batch);
  const receipt = await erase();
  expect(receipt.removed).toEqual({ events: gone, visitor_sessions: expect.any(Number), visitors: 1 });
  const left = { rows: 60 - gone, erased: 0, aggregated: 60 - gone };
  expect(await stored()).toEqual(left);

  // The same batch again, which the ledger knows; and its events in another batch, as a replay of the archive or a
  // redrive of a batch that was dead-lettered would bring them.
  await rig.publish(batch, "again");
  const replayed = testBatch(
    events.filter(({ eventId }) => eventId !== undefined),
    { partition: PARTITION },
  );
  await rig.publish(replayed);
  const erased = events.filter((event) => event.eventId !== undefined && isErased(event)).length;
  expect(await rig.committed(replayed)).toMatchObject({
    rows: 30,
    stored: 0,
    duplicates: 30 - erased,
    dead_lettered: 0,
  });

  // A batch that a collector has had in its spool since before the erasure: these events were never stored.
  const spooled = pages(40, 100);
  const late = testBatch(spooled, { partition: PARTITION });
  await rig.publish(late);
  const lateGone = spooled.filter(isErased).length;
  expect(await rig.committed(late)).toMatchObject({
    rows: 40,
    stored: 40 - lateGone,
    duplicates: 0,
    dead_lettered: 0,
  });
  expect(await metric(aggregator, "footfall_aggregator_erased_total")).toBe(erased + lateGone);

  await rig.stop();
  await rig.start();
  const again = testBatch(spooled.filter(isErased), { partition: PARTITION });
  await rig.publish(again);
  expect(await rig.committed(again)).toMatchObject({ stored: 0, duplicates: 0 });
  const rows = 100 - gone - lateGone;
  await waitFor("the refresh", async () => (await stored()).aggregated === rows);
  expect(await stored()).toEqual({ rows, erased: 0, aggregated: rows });
  await rig.stop();
});

test("an erasure under a stream of the visitor's old events misses none, and holds up nobody", async () => {
  await rig.start();
  const batches = Array.from({ length: 30 }, (_, at) =>
    testBatch(pages(40, 1_000 + 40 * at), { partition: PARTITION }),
  );
  const before = (await stored()).rows;
  const publishing = (async () => {
    for (const batch of batches) await rig.publish(batch);
  })();
  await rig.committed(batches[3]!);
  await erase();
  await publishing;
  await rig.committed(batches.at(-1)!);
  const all = batches.flatMap((_, at) => pages(40, 1_000 + 40 * at));
  const rows = before + all.filter((event) => !isErased(event)).length;
  await waitFor("the refresh", async () => (await stored()).aggregated === rows);
  expect(await stored()).toEqual({ rows, erased: 0, aggregated: rows });
  const [sum] = await rig.query<object>(
    "SELECT sum(rows - stored - duplicates - dead_lettered - erased)::integer AS open FROM batch_ledger",
  );
  expect(sum).toEqual({ open: 0 });
});

test("an erased user, and an order's customer, stay away by whatever batch their events come", async () => {
  const time = NOON + 5_000 * MINUTE;
  const order = (id: string, customerId: string) => ({
    order: { id, revenueMicros: 5n, currency: "EUR", customerId },
  });
  const events: TestEvent[] = [
    { merchantId: A, visitorId: "v2", time, userId: "jane" },
    { merchantId: A, visitorId: "v2", time, userId: "joe", ...order("1", "17") },
    { merchantId: A, visitorId: "v2", time, ...order("2", "18") },
    { merchantId: B, visitorId: "v2", time, userId: "jane", ...order("1", "17") },
  ];
  for (const [kind, id] of [
    ["user", "jane"],
    ["customer", "17"],
  ] as const) {
    const person = { kind, hash: PERSON_HASHES[kind](A, id) };
    const erasure = await beginErasure(rig.pool, { merchantId: A, person }, PARTITION);
    await runErasure(rig.pool, erasure, { refreshWaitMs: 30_000, streamMaxAgeMs: 1 });
  }
  const batch = testBatch(events, { partition: PARTITION });
  await rig.publish(batch);
  expect(await rig.committed(batch)).toMatchObject({ rows: 4, stored: 2, dead_lettered: 0 });
  const [left] = await rig.query<{ orders: string }>(
    "SELECT string_agg(merchant_id || ' ' || order_id, ',' ORDER BY order_id) AS orders FROM events WHERE ts >= $1 AND order_id IS NOT NULL",
    [new Date(time)],
  );
  expect(left!.orders).toBe(`${B} 1,${A} 2`);
});
