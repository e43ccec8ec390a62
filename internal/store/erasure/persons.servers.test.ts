import { describe, expect, test } from "vitest";
import { type EventRow, eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { convertOld } from "../maintenance/columnstore.ts";
import { verifyAggregates } from "../maintenance/verify.ts";
import { refreshGrain } from "../refresh.ts";
import { countErasable } from "./count.ts";
import type { Person } from "./subject.ts";
import { ALL, Erasing } from "./testing/erasing.ts";
import { DAY, NOON, ORDER, shopEvents, store } from "./testing/shops.ts";

const erasing = new Erasing();

const USER: Person = { kind: "user", hash: 77n };
const CUSTOMER: Person = { kind: "customer", hash: 77n };

/** Of each merchant's events a third name the user, on several devices, and of the orders half the customer. */
const named = (): EventRow[] =>
  shopEvents(240).map((row, at) => ({
    ...row,
    user_id: at % 3 === 0 ? 77n : at % 5 === 0 ? 78n : null,
    order: row.order && { ...row.order, customer: at % 2 === 0 ? 77n : null },
  }));

const isOf =
  ({ kind, hash }: Person) =>
  (row: EventRow) =>
    row.merchant_id === 1 && (kind === "user" ? row.user_id : row.order?.customer) === hash;

/** When visitors first came, as the events tell it. */
function firstTimes(events: readonly EventRow[]) {
  const byVisitor = Map.groupBy(events, (row) => `${row.merchant_id} ${row.visitor_id}`);
  const least = (rows: readonly EventRow[]) =>
    rows.length === 0 ? null : Math.min(...rows.map(({ ts }) => ts));
  return [...byVisitor]
    .map(([visitor, rows]) => ({
      visitor,
      people: least(rows.filter((row) => !row.is_bot)),
      bots: least(rows.filter((row) => row.is_bot)),
      month: new Date(Math.max(...rows.map(({ ts }) => ts))).toISOString().slice(0, 7),
    }))
    .sort((a, b) => (a.visitor < b.visitor ? -1 : 1));
}

const storedFirstTimes = () =>
  erasing.query(`SELECT merchant_id || ' ' || visitor_id AS visitor, (extract(epoch FROM people_first_time) * 1000)::float8 AS people,
    (extract(epoch FROM bots_first_time) * 1000)::float8 AS bots, to_char(seen_month, 'YYYY-MM') AS month FROM visitors ORDER BY 1`);

const SESSIONS = "merchant_id, visitor_id, session_id";

// Each test has visitors of its own: a writer remembers whom it knows.
describe.each([USER, CUSTOMER])("a $kind", (person) => {
  test.each([
    ["rows", person.kind === "user" ? 0n : 1_600n],
    ["columnstore", person.kind === "user" ? 3_200n : 4_800n],
  ] as const)("in %s is in no table and no aggregate any more; all others are", async (kind, ids) => {
    await erasing.query(
      "UPDATE merchants SET rollups_from = '2000-01-01Z', rollups_ready_from = '2000-01-01Z'",
    );
    const events = named().map((row) => ({
      ...row,
      visitor_id: ids + row.visitor_id * 8n,
      in_rollups: true,
    }));
    const left = events.filter((row) => !isOf(person)(row));
    const gone = events.filter(isOf(person));
    await store(erasing.pool, events);
    for (const grain of ["15m", "1d"] as const) await refreshGrain(erasing.pool, grain);
    if (kind === "columnstore") await convertOld(erasing.pool, NOON + 40 * DAY);
    const found = await countErasable(erasing.pool, { merchantId: 1, person });
    const receipt = await erasing.erase(1, person);
    await erasing.expectExactly(left);
    expect(await storedFirstTimes()).toEqual(firstTimes(left));
    const counts = {
      events: gone.length,
      items: gone.flatMap(({ items }) => items).length,
      order_keys: gone.filter(({ order }) => order !== null).length,
    };
    expect(gone.length).toBeGreaterThan(10);
    expect(receipt).toMatchObject({ personKind: person.kind, personHash: "77", removed: counts });
    expect(found.rows).toEqual(counts);
    expect(found.visitors).toEqual([...new Set(gone.map(({ visitor_id }) => String(visitor_id)))].sort());
    const visits = (sql: string) => erasing.query(`SELECT DISTINCT ${SESSIONS} FROM ${sql} ORDER BY 1, 2, 3`);
    for (const aggregate of ["visits_1d", "sampled_visits_1d"])
      expect(await visits(aggregate)).toEqual(await visits("events"));
    // Of the sessions that storage found, those that go on without the person begin and end with what is left.
    expect(
      await erasing.query(`SELECT ${SESSIONS}, started_at, ended_at FROM visitor_sessions ORDER BY 1, 2, 3`),
    ).toEqual(
      await erasing.query(`SELECT ${SESSIONS}, min(ts) AS started_at, max(ts) AS ended_at FROM events
        WHERE visitor_id / 8 % 2 = 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`),
    );
    expect(await erasing.query("SELECT FROM erasures WHERE visitors <> '{}'")).toEqual([]);
    expect(await verifyAggregates(erasing.pool, ALL)).toEqual([]);
  });

  test("is left out when events come again; back after the erasure it counts, and so do others", async () => {
    const of = (fields: Partial<EventRow>, hash = person.hash) =>
      eventRow({
        ...{ ts: NOON, received_at: NOON, visitor_id: 4n },
        ...(person.kind === "user"
          ? { user_id: hash }
          : { order: { ...ORDER, id: crypto.randomUUID(), revenue: 5, converted: 5, customer: hash } }),
        ...fields,
      });
    // Before the person's, an event of nobody's: places of orders are not places of rows.
    const sent = [
      eventRow({ ts: NOON, received_at: NOON, visitor_id: 4n, url: "nobody" }),
      of({ url: "gone" }),
    ];
    await store(erasing.pool, sent);
    await erasing.erase(1, person);
    const now = Date.now() + 1_000;
    const again = [
      ...sent,
      of({ received_at: now, url: "offline" }),
      of({ ts: now, received_at: now, url: "back" }),
      of({ merchant_id: 2, url: "merchant" }),
      of({ url: "other" }, 78n),
    ];
    expect(await commitNext(erasing.pool, [batchOf(again)])).toMatchObject({
      stored: 3,
      duplicates: 1,
      erased: 2,
    });
    const stored = await erasing.query<{ url: string }>("SELECT url FROM events ORDER BY 1");
    expect(stored.map(({ url }) => url)).toEqual(["back", "merchant", "nobody", "other"]);
    expect((await erasing.erase(1, person)).removed.events).toBe(1);
  });
});

test("one kind of id does not mean the other, nor a visitor of the same hash", async () => {
  const at = (fields: Partial<EventRow>) => eventRow({ ts: NOON, received_at: NOON, ...fields });
  const ordered = { ...ORDER, id: "o", revenue: 5, converted: 5, customer: 77n };
  const events = [
    at({ user_id: 77n, url: "user" }),
    at({ order: ordered, url: "customer" }),
    at({ visitor_id: 77n, url: "visitor" }),
  ];
  await store(erasing.pool, events);
  await erasing.erase(1, USER);
  const copies = events.map((row) => eventRow({ ...row, event_id: crypto.randomUUID() }));
  expect(await commitNext(erasing.pool, [batchOf(copies)])).toMatchObject({ stored: 2, erased: 1 });
  const stored = await erasing.query<{ url: string }>("SELECT url FROM events ORDER BY 1");
  expect(stored.map(({ url }) => url)).toEqual(["customer", "customer", "visitor", "visitor"]);
});

test("a visitor who came before the person's first event is as known as before, though those rows are dropped", async () => {
  await store(erasing.pool, [
    eventRow({ ts: NOON - 9 * DAY, received_at: NOON, visitor_id: 9_004n }),
    eventRow({ ts: NOON, received_at: NOON, visitor_id: 9_004n, user_id: 77n }),
    eventRow({ ts: NOON, received_at: NOON, visitor_id: 9_005n, user_id: 77n }),
  ]);
  await erasing.query("DELETE FROM events WHERE ts < $1", [new Date(NOON)]);
  expect((await erasing.erase(1, USER)).removed).toEqual({ events: 2, visitors: 1 });
  expect(await storedFirstTimes()).toEqual([
    { visitor: "1 9004", people: NOON - 9 * DAY, bots: null, month: "2026-03" },
  ]);
});
