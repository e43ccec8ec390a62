import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type EventRow, eventRow } from "../../testkit/columns.ts";
import { batchOf, commitNext } from "../../testkit/commits.ts";
import { openTestDatabase, type TestDatabase, testPool } from "../../testkit/database.ts";
import { convertOld } from "../maintenance/columnstore.ts";
import { verifyAggregates } from "../maintenance/verify.ts";
import { createMerchant, findMerchantByKey, keySha256 } from "../merchants.ts";
import { refreshStale } from "../refresh.ts";
import { refreshStaleDays } from "../refresh-days.ts";
import { beginErasure } from "./begin.ts";
import { countErasable } from "./count.ts";
import { listReceipts, type Receipt } from "./receipt.ts";
import { runErasure } from "./run.ts";
import {
  DAY,
  idsOf,
  NOON,
  ORDER,
  shopEvents,
  store,
  storedIds,
  storedTotals,
  totalsOf,
} from "./testing/shops.ts";

const ALL = { from: Date.UTC(2020, 0, 1), to: Date.UTC(2030, 0, 1) };
const OPTIONS = { refreshWaitMs: 0, streamMaxAgeMs: 7 * DAY };
const SHOP = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 760 };

let database: TestDatabase;
let keys: string[];
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());
beforeEach(async () => {
  await database.pool.query(`TRUNCATE events, items, event_keys, order_keys, visitor_sessions, batch_ledger,
    stale_buckets, erasures, erasure_removals, goals, merchants, api_keys RESTART IDENTITY`);
  await database.pool.query("UPDATE partitions SET erasure_version = 0");
  await database.pool.query("CALL refresh_continuous_aggregate('totals_15m', NULL, NULL)");
  const merchants = [await createMerchant(database.pool, SHOP), await createMerchant(database.pool, SHOP)];
  keys = merchants.map(({ writeKey }) => writeKey);
});

async function erase(merchantId: number, visitorId?: bigint): Promise<Receipt> {
  const erasure = await beginErasure(database.pool, { merchantId, visitorId }, 0);
  return runErasure(database.pool, erasure, OPTIONS);
}

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

const isOf = (merchant: number, visitor: bigint) => (row: EventRow) =>
  row.merchant_id === merchant && row.visitor_id === visitor;

/** Rows, items, claimed orders and aggregates are those of a list, counted there. */
async function expectExactly(list: readonly EventRow[]): Promise<void> {
  expect(await storedIds(database.pool)).toEqual(idsOf(list));
  expect(await storedTotals(database.pool)).toEqual(totalsOf(list));
  expect(await verifyAggregates(database.pool, ALL)).toEqual([]);
}

/** Every row of the tables that an erasure touches, but for one visitor's. */
const others = (merchant: number, visitor: bigint) =>
  query<{ row: string }>(
    `SELECT 'event' || e::text AS row FROM events e WHERE NOT (merchant_id = $1 AND visitor_id = $2)
     UNION ALL SELECT 'session' || s::text FROM visitor_sessions s WHERE NOT (merchant_id = $1 AND visitor_id = $2)
     UNION ALL SELECT 'key' || k::text FROM event_keys k UNION ALL SELECT 'merchant' || m::text FROM merchants m
     UNION ALL SELECT 'api' || a::text FROM api_keys a ORDER BY 1`,
    [merchant, visitor],
  );

describe.each(["rows", "columnstore"])("a visitor, in %s", (kind) => {
  test("is in no table and no aggregate any more, and all others are as they were", async () => {
    const events = shopEvents(240);
    await store(database.pool, events);
    await refreshStale(database.pool);
    if (kind === "columnstore") expect(await convertOld(database.pool, NOON + 9 * DAY)).toBeGreaterThan(5);
    const before = await others(1, 4n);
    const gone = events.filter(isOf(1, 4n));
    const sessions = await query("SELECT FROM visitor_sessions WHERE merchant_id = 1 AND visitor_id = 4");
    const receipt = await erase(1, 4n);
    await expectExactly(events.filter((row) => !gone.includes(row)));
    expect(await others(1, 4n)).toEqual(before);
    expect(await query("SELECT FROM visitor_sessions WHERE merchant_id = 1 AND visitor_id = 4")).toEqual([]);
    expect(await query("SELECT FROM stale_buckets")).toEqual([]);
    const times = gone.map(({ ts }) => ts);
    expect(receipt).toMatchObject({
      merchantId: 1,
      visitorHash: "4",
      removed: {
        events: gone.length,
        items: gone.flatMap(({ items }) => items).length,
        order_keys: gone.filter(({ order }) => order !== null).length,
        visitor_sessions: sessions.length,
      },
      firstTime: new Date(Math.min(...times)),
      lastTime: new Date(Math.max(...times)),
    });
    for (const at of [receipt.aggregatesRefreshedAt, receipt.vacuumedAt, receipt.finishedAt]) {
      expect(at).toBeInstanceOf(Date);
    }
    expect(receipt.remains!.map(({ where }) => where)).toEqual([
      "JetStream",
      "event_keys",
      "erasures",
      "backups",
    ]);
    expect(await listReceipts(database.pool, undefined)).toEqual([receipt]);
  });

  test("of a merchant with rollups is in no aggregate of visitors any more when the erasure ends", async () => {
    await query("UPDATE merchants SET rollups_from = '2000-01-01Z', rollups_ready_from = '2000-01-01Z'");
    const events = shopEvents(240).map((row) => ({ ...row, in_rollups: true }));
    await store(database.pool, events);
    await refreshStale(database.pool);
    await refreshStaleDays(database.pool);
    if (kind === "columnstore") await convertOld(database.pool, NOON + 40 * DAY);
    const visits = (aggregate: string) =>
      query(`SELECT DISTINCT merchant_id AS m, visitor_id::integer AS v FROM ${aggregate} ORDER BY 1, 2`);
    const all = [1, 2].flatMap((m) => [1, 2, 3, 4, 5, 6].map((v) => ({ m, v })));
    expect(await visits("visits_1d")).toEqual(all);
    await erase(1, 4n);
    const left = all.filter(({ m, v }) => m !== 1 || v !== 4);
    expect(await visits("visits_1d")).toEqual(left);
    expect(await visits("sessions_15m")).toEqual(left);
    await expectExactly(events.filter((row) => !isOf(1, 4n)(row)));
    for (const merchant of [1, 2]) await erase(merchant);
    expect(await visits("visits_1d")).toEqual([]);
  });

  test("a merchant's erasure leaves nothing of it but the receipt, and its keys are revoked first", async () => {
    const events = shopEvents(240);
    await store(database.pool, events);
    await refreshStale(database.pool);
    if (kind === "columnstore") await convertOld(database.pool, NOON + 9 * DAY);
    // A cell whose rows retention has dropped: no refresh would find it.
    const gone = events.filter(({ merchant_id }) => merchant_id === 1);
    const erasure = await beginErasure(database.pool, { merchantId: 1, visitorId: undefined }, 0);
    expect(await findMerchantByKey(database.pool, "write", keySha256(keys[0]!))).toBeUndefined();
    const receipt = await runErasure(database.pool, erasure, OPTIONS);
    await expectExactly(events.filter(({ merchant_id }) => merchant_id === 2));
    const tables = [
      "events",
      "items",
      "event_keys",
      "order_keys",
      "visitor_sessions",
      "api_keys",
      "merchants",
    ];
    for (const table of [...tables, "totals_15m"]) {
      expect(await query(`SELECT FROM ${table} WHERE merchant_id = 1`)).toEqual([]);
      expect((await query(`SELECT FROM ${table} WHERE merchant_id = 2`)).length).toBeGreaterThan(0);
    }
    expect(receipt).toMatchObject({
      merchantId: 1,
      visitorHash: null,
      removed: { events: gone.length, event_keys: gone.length, merchants: 1, api_keys: 2 },
    });
    expect(await query("SELECT FROM stale_buckets")).toEqual([]);
    expect(await findMerchantByKey(database.pool, "write", keySha256(keys[1]!))).toMatchObject({
      merchantId: 2,
    });
  });
});

test("cells of the aggregate whose rows retention has dropped go with their merchant", async () => {
  await store(database.pool, shopEvents(50));
  await refreshStale(database.pool);
  await query("SELECT drop_chunks('events', older_than => $1::timestamptz)", [new Date(NOON - 10 * DAY)]);
  await erase(1);
  expect(await query("SELECT FROM totals_15m WHERE merchant_id = 1")).toEqual([]);
  expect((await query("SELECT FROM totals_15m WHERE merchant_id = 2")).length).toBeGreaterThan(0);
});

describe("what comes again", () => {
  const at = (fields: Partial<EventRow>) =>
    eventRow({ visitor_id: 4n, ts: NOON, received_at: NOON, ...fields });

  test("is left out, counted and not kept, whatever batch brings it; also after a restart of the writer", async () => {
    const events = shopEvents(100);
    const gone = events.filter(isOf(1, 4n));
    const left = events.filter((row) => !gone.includes(row));
    await store(database.pool, events);
    await erase(1, 4n);
    // Copies in other batches: spooled, redriven, or from the archive. Half had no id, and so have no key.
    const late = gone.map((row) => eventRow({ ...row, event_id: crypto.randomUUID() }));
    const expected = { stored: 0, duplicates: 0, rejected: 0, erased: gone.length };
    for (const copies of [gone, late]) {
      expect(await commitNext(database.pool, [batchOf(copies)])).toMatchObject(expected);
    }
    const mixed = batchOf([...late, ...left]);
    expect(await commitNext(database.pool, [mixed])).toMatchObject({
      ...expected,
      duplicates: left.length,
    });
    expect(await commitNext(database.pool, [mixed])).toMatchObject({ repeatedBatches: 1, erased: 0 });
    const lines = await query("SELECT erased FROM batch_ledger WHERE erased > 0");
    expect(lines).toEqual([gone, late, mixed].map(() => ({ erased: gone.length })));
    const restarted = testPool(database.url);
    const after = await commitNext(restarted, [batchOf(late)]).finally(() => restarted.end());
    expect(after).toMatchObject(expected);
    await refreshStale(database.pool);
    await expectExactly(left);
    expect(
      await query("SELECT FROM event_keys WHERE event_id = ANY ($1)", [late.map((row) => row.event_id)]),
    ).toEqual([]);
  });

  test("of a merchant too, however late it happened and came", async () => {
    await store(database.pool, [at({})]);
    await erase(1);
    const later = Date.now() + DAY;
    const committed = await commitNext(database.pool, [batchOf([at({ ts: later, received_at: later })])]);
    expect(committed).toMatchObject({ stored: 0, erased: 1 });
  });

  test("a visitor who comes back after the erasure counts again; what happened before it does not", async () => {
    await store(database.pool, [at({ event_id: "00000000-0000-4000-8000-000000000001" })]);
    await erase(1, 4n);
    const now = Date.now() + 1_000;
    const back = [
      at({ ts: now, received_at: now, url: "back" }),
      // From before the erasure, sent by a device that was offline; and of another visitor, of another merchant.
      at({ received_at: now, url: "offline" }),
      at({ visitor_id: 5n, url: "visitor" }),
      at({ merchant_id: 2, url: "merchant" }),
    ];
    expect(await commitNext(database.pool, [batchOf(back)])).toMatchObject({ stored: 3, erased: 1 });
    const stored = await query<{ url: string }>("SELECT url FROM events ORDER BY 1");
    expect(stored.map(({ url }) => url)).toEqual(["back", "merchant", "visitor"]);
    // And can be erased again.
    expect((await erase(1, 4n)).removed).toEqual({ events: 1 });
  });

  test("rows that a collector with a clock ahead has received go too, and do not come again", async () => {
    const ahead = Date.now() + DAY;
    const row = at({ ts: ahead, received_at: ahead });
    await store(database.pool, [row]);
    const receipt = await erase(1, 4n);
    expect(receipt.removed).toEqual({ events: 1 });
    expect(receipt.erasedThrough).toEqual(new Date(ahead));
    const copy = eventRow({ ...row, event_id: crypto.randomUUID() });
    expect(await commitNext(database.pool, [batchOf([copy])])).toMatchObject({ stored: 0, erased: 1 });
  });
});

test("a session that goes on after the erasure begins with the first event that is left", async () => {
  const erasure = await (async () => {
    const now = Date.now();
    const row = (minutes: number) =>
      eventRow({
        visitor_id: 4n,
        session_id: 0n,
        ts: now + minutes * 60_000,
        received_at: now + minutes * 60_000,
      });
    await store(database.pool, [row(-20), row(-10)]);
    const begun = await beginErasure(database.pool, { merchantId: 1, visitorId: 4n }, 0);
    await store(database.pool, [row(5), row(9)]);
    await runErasure(database.pool, begun, OPTIONS);
    await store(database.pool, [row(20)]);
    return { begun, now };
  })();
  const sessions = await query<{ started_at: Date; ended_at: Date; session_id: string }>(
    "TABLE visitor_sessions",
  );
  expect(sessions).toHaveLength(1);
  expect(sessions[0]).toMatchObject({
    started_at: new Date(erasure.now + 5 * 60_000),
    ended_at: new Date(erasure.now + 20 * 60_000),
  });
  const ids = await query<{ session_id: string }>("SELECT DISTINCT session_id FROM events");
  expect(ids).toEqual([{ session_id: sessions[0]!.session_id }]);
});

test("an order that another visitor's event brought as well counts for that one, converted", async () => {
  await query("INSERT INTO currency_rates VALUES ('USD', '2026-03-20', 1.25) ON CONFLICT DO NOTHING");
  const order = (id: string, fields: Partial<EventRow>, currency = "EUR") =>
    eventRow({
      name: "purchase",
      order: { ...ORDER, id, revenue: 5_000_000, converted: 5_000_000, currency },
      ts: NOON,
      received_at: NOON,
      ...fields,
    });
  const again = { visitor_id: 5n, ts: NOON + 3_600_000, received_at: NOON + 3_600_000 };
  await store(database.pool, [
    order("both", { visitor_id: 4n }),
    order("both", again),
    order("both", { ...again, received_at: NOON + DAY }),
    order("dollars", { visitor_id: 4n }),
    order("dollars", again, "USD"),
    order("yens", { visitor_id: 4n }),
    order("yens", again, "JPY"),
    order("own", { visitor_id: 4n }),
    order("other", again),
  ]);
  await convertOld(database.pool, NOON + 9 * DAY);
  await erase(1, 4n);
  const kinds = await query(
    `SELECT order_id AS id, order_kind AS kind, revenue_micros::integer AS revenue FROM events ORDER BY 1, 2, received_at`,
  );
  expect(kinds).toEqual([
    { id: "both", kind: 1, revenue: 5_000_000 },
    { id: "both", kind: 2, revenue: null },
    { id: "dollars", kind: 1, revenue: 4_000_000 },
    { id: "other", kind: 1, revenue: 5_000_000 },
    { id: "yens", kind: 1, revenue: null },
  ]);
  const claimed = await query<{ order_id: string }>("SELECT order_id FROM order_keys ORDER BY 1");
  expect(claimed.map(({ order_id }) => order_id)).toEqual(["both", "dollars", "other", "yens"]);
  const cells = await query(
    "SELECT orders::integer, unconverted_orders::integer AS un, revenue_micros::integer AS revenue FROM totals_15m",
  );
  expect(cells).toEqual([{ orders: 4, un: 1, revenue: 14_000_000 }]);
  expect(await verifyAggregates(database.pool, ALL)).toEqual([]);
});

test("an erasure that dies in any of its steps goes on where it stood, and counts each row once", async () => {
  const events = shopEvents(150, 3);
  await store(database.pool, events);
  await refreshStale(database.pool);
  await convertOld(database.pool, NOON + 9 * DAY);
  const gone = events.filter(isOf(1, 4n));
  // A trigger fails the statement that would remove an event after so many.
  await query("CREATE TABLE fail_after AS SELECT 0 AS rows");
  await query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT coalesce(sum(rows), 0) FROM erasure_removals) >= (SELECT rows FROM fail_after) THEN
      RAISE EXCEPTION 'killed'; END IF; RETURN OLD; END $$`);
  await query("CREATE TRIGGER fail BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION fail()");
  try {
    for (const rows of [0, 2, 6]) {
      await query("UPDATE fail_after SET rows = $1", [rows]);
      const erasure = await beginErasure(database.pool, { merchantId: 1, visitorId: 4n }, 0);
      await expect(runErasure(database.pool, erasure, OPTIONS)).rejects.toThrow("killed");
    }
  } finally {
    await query("DROP TRIGGER fail ON events");
    await query("DROP FUNCTION fail");
    await query("DROP TABLE fail_after");
  }
  const [unfinished] = await listReceipts(database.pool, 1);
  expect(unfinished!.finishedAt).toBeNull();
  expect(unfinished!.removed.events).toBeLessThan(gone.length);
  const receipt = await erase(1, 4n);
  expect(receipt.erasureId).toBe(unfinished!.erasureId);
  expect(receipt.removed.events).toBe(gone.length);
  await expectExactly(events.filter((row) => !gone.includes(row)));
});

test("counting beforehand changes nothing, and tells what goes", async () => {
  await store(database.pool, shopEvents(200));
  await refreshStale(database.pool);
  const everything = () =>
    query(
      "SELECT e::text FROM events e UNION ALL SELECT p::text FROM partitions p UNION ALL SELECT x::text FROM erasures x UNION ALL SELECT a::text FROM api_keys a ORDER BY 1",
    );
  const before = await everything();
  const visitor = await countErasable(database.pool, { merchantId: 1, visitorId: 4n });
  const merchant = await countErasable(database.pool, { merchantId: 1, visitorId: undefined });
  expect(await everything()).toEqual(before);
  const one = await erase(1, 4n);
  expect(visitor).toEqual({ rows: one.removed, firstTime: one.firstTime, lastTime: one.lastTime });
  const rest = await erase(1);
  const sum = (table: string) => (one.removed[table] ?? 0) + (rest.removed[table] ?? 0);
  for (const table of ["events", "items", "order_keys", "api_keys"])
    expect(merchant.rows[table]).toBe(sum(table));
});
