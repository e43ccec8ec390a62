import { describe, expect, test } from "vitest";
import { keySha256 } from "../api-keys.ts";
import { convertOld } from "../maintenance/columnstore.ts";
import { findMerchantByKey } from "../merchants.ts";
import { refreshGrain } from "../refresh.ts";
import { beginErasure } from "./begin.ts";
import { countErasable } from "./count.ts";
import { listReceipts } from "./receipt.ts";
import { runErasure } from "./run.ts";
import { Erasing, isOf, OPTIONS } from "./testing/erasing.ts";
import { DAY, NOON, shopEvents, store } from "./testing/shops.ts";

const erasing = new Erasing();

/** Every row of the tables that an erasure touches, but for one visitor's. */
const others = (merchant: number, visitor: bigint) =>
  erasing.query<{ row: string }>(
    `SELECT 'event' || e::text AS row FROM events e WHERE NOT (merchant_id = $1 AND visitor_id = $2)
     UNION ALL SELECT 'session' || s::text FROM visitor_sessions s WHERE NOT (merchant_id = $1 AND visitor_id = $2)
     UNION ALL SELECT 'key' || k::text FROM event_keys k UNION ALL SELECT 'merchant' || m::text FROM merchants m
     UNION ALL SELECT 'api' || a::text FROM api_keys a ORDER BY 1`,
    [merchant, visitor],
  );

describe.each(["rows", "columnstore"])("a visitor, in %s", (kind) => {
  test("is in no table and no aggregate any more, and all others are as they were", async () => {
    const events = shopEvents(240);
    await store(erasing.pool, events);
    await refreshGrain(erasing.pool, "15m");
    if (kind === "columnstore") expect(await convertOld(erasing.pool, NOON + 9 * DAY)).toBeGreaterThan(5);
    const before = await others(1, 4n);
    const gone = events.filter(isOf(1, 4n));
    const sessions = await erasing.query(
      "SELECT FROM visitor_sessions WHERE merchant_id = 1 AND visitor_id = 4",
    );
    const receipt = await erasing.erase(1, 4n);
    await erasing.expectExactly(events.filter((row) => !gone.includes(row)));
    expect(await others(1, 4n)).toEqual(before);
    expect(
      await erasing.query("SELECT FROM visitor_sessions WHERE merchant_id = 1 AND visitor_id = 4"),
    ).toEqual([]);
    expect(await erasing.query("SELECT FROM invalidations WHERE grain = '15m'")).toEqual([]);
    const times = gone.map(({ ts }) => ts);
    expect(receipt).toMatchObject({
      merchantId: 1,
      personKind: "visitor",
      personHash: "4",
      removed: {
        events: gone.length,
        items: gone.flatMap(({ items }) => items).length,
        order_keys: gone.filter(({ order }) => order !== null).length,
        visitor_sessions: sessions.length,
        visitors: 1,
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
    expect(await listReceipts(erasing.pool, undefined)).toEqual([receipt]);
  });

  test("of a merchant with rollups is in no aggregate of visitors any more when the erasure ends", async () => {
    await erasing.query(
      "UPDATE merchants SET rollups_from = '2000-01-01Z', rollups_ready_from = '2000-01-01Z'",
    );
    const events = shopEvents(240).map((row) => ({
      ...row,
      // In the sample of visitors.
      visitor_id: row.visitor_id * 8n,
      in_rollups: true,
    }));
    await store(erasing.pool, events);
    await refreshGrain(erasing.pool, "15m");
    await refreshGrain(erasing.pool, "1d");
    if (kind === "columnstore") await convertOld(erasing.pool, NOON + 40 * DAY);
    const visits = (aggregate: string) =>
      erasing.query(
        `SELECT DISTINCT merchant_id AS m, visitor_id::integer AS v FROM ${aggregate} ORDER BY 1, 2`,
      );
    const daily = ["visits_1d", "sampled_visits_1d"];
    const all = [1, 2].flatMap((m) => [8, 16, 24, 32, 40, 48].map((v) => ({ m, v })));
    for (const aggregate of daily) expect(await visits(aggregate)).toEqual(all);
    await erasing.erase(1, 32n);
    const left = all.filter(({ m, v }) => m !== 1 || v !== 32);
    for (const aggregate of daily) expect(await visits(aggregate)).toEqual(left);
    expect(await visits("sessions_15m")).toEqual(left);
    await erasing.expectExactly(events.filter((row) => !isOf(1, 32n)(row)));
    for (const merchant of [1, 2]) await erasing.erase(merchant);
    for (const aggregate of daily) expect(await visits(aggregate)).toEqual([]);
  });

  test("a merchant's erasure leaves nothing of it but the receipt, and its keys are revoked first", async () => {
    const events = shopEvents(240);
    await store(erasing.pool, events);
    await refreshGrain(erasing.pool, "15m");
    if (kind === "columnstore") await convertOld(erasing.pool, NOON + 9 * DAY);
    // A cell whose rows retention has dropped: no refresh would find it.
    const gone = events.filter(({ merchant_id }) => merchant_id === 1);
    const erasure = await beginErasure(erasing.pool, { merchantId: 1, person: undefined }, 0);
    expect(await findMerchantByKey(erasing.pool, "write", keySha256(erasing.writeKeys[0]!))).toBeUndefined();
    const receipt = await runErasure(erasing.pool, erasure, OPTIONS);
    await erasing.expectExactly(events.filter(({ merchant_id }) => merchant_id === 2));
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
      expect(await erasing.query(`SELECT FROM ${table} WHERE merchant_id = 1`)).toEqual([]);
      expect((await erasing.query(`SELECT FROM ${table} WHERE merchant_id = 2`)).length).toBeGreaterThan(0);
    }
    expect(receipt).toMatchObject({
      merchantId: 1,
      personKind: null,
      personHash: null,
      removed: { events: gone.length, event_keys: gone.length, merchants: 1, api_keys: 2 },
    });
    expect(await erasing.query("SELECT FROM invalidations WHERE grain = '15m'")).toEqual([]);
    expect(await findMerchantByKey(erasing.pool, "write", keySha256(erasing.writeKeys[1]!))).toMatchObject({
      merchantId: 2,
    });
  });
});

test("cells of the aggregate whose rows retention has dropped go with their merchant", async () => {
  await store(erasing.pool, shopEvents(50));
  await refreshGrain(erasing.pool, "15m");
  await erasing.query("SELECT drop_chunks('events', older_than => $1::timestamptz)", [
    new Date(NOON - 10 * DAY),
  ]);
  await erasing.erase(1);
  expect(await erasing.query("SELECT FROM totals_15m WHERE merchant_id = 1")).toEqual([]);
  expect((await erasing.query("SELECT FROM totals_15m WHERE merchant_id = 2")).length).toBeGreaterThan(0);
});

test("an erasure that dies in any of its steps goes on where it stood, and counts each row once", async () => {
  const events = shopEvents(150, 3);
  await store(erasing.pool, events);
  await refreshGrain(erasing.pool, "15m");
  await convertOld(erasing.pool, NOON + 9 * DAY);
  const gone = events.filter(isOf(1, 4n));
  // A trigger fails the statement that would remove an event after so many.
  await erasing.query("CREATE TABLE fail_after AS SELECT 0 AS rows");
  await erasing.query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT coalesce(sum(rows), 0) FROM erasure_removals) >= (SELECT rows FROM fail_after) THEN
      RAISE EXCEPTION 'killed'; END IF; RETURN OLD; END $$`);
  await erasing.query("CREATE TRIGGER fail BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION fail()");
  try {
    for (const rows of [0, 2, 6]) {
      await erasing.query("UPDATE fail_after SET rows = $1", [rows]);
      const erasure = await beginErasure(
        erasing.pool,
        { merchantId: 1, person: { kind: "visitor", hash: 4n } },
        0,
      );
      await expect(runErasure(erasing.pool, erasure, OPTIONS)).rejects.toThrow("killed");
    }
  } finally {
    await erasing.query("DROP TRIGGER fail ON events");
    await erasing.query("DROP FUNCTION fail");
    await erasing.query("DROP TABLE fail_after");
  }
  const [unfinished] = await listReceipts(erasing.pool, 1);
  expect(unfinished!.finishedAt).toBeNull();
  expect(unfinished!.removed.events).toBeLessThan(gone.length);
  const receipt = await erasing.erase(1, 4n);
  expect(receipt.erasureId).toBe(unfinished!.erasureId);
  expect(receipt.removed.events).toBe(gone.length);
  await erasing.expectExactly(events.filter((row) => !gone.includes(row)));
});

test("counting beforehand changes nothing, and tells what goes", async () => {
  await store(erasing.pool, shopEvents(200));
  await refreshGrain(erasing.pool, "15m");
  const everything = () =>
    erasing.query(
      "SELECT e::text FROM events e UNION ALL SELECT p::text FROM partitions p UNION ALL SELECT x::text FROM erasures x UNION ALL SELECT a::text FROM api_keys a ORDER BY 1",
    );
  const before = await everything();
  const visitor = await countErasable(erasing.pool, { merchantId: 1, person: { kind: "visitor", hash: 4n } });
  const merchant = await countErasable(erasing.pool, { merchantId: 1, person: undefined });
  expect(await everything()).toEqual(before);
  const one = await erasing.erase(1, 4n);
  expect(visitor).toEqual({ rows: one.removed, firstTime: one.firstTime, lastTime: one.lastTime });
  const rest = await erasing.erase(1);
  const sum = (table: string) => (one.removed[table] ?? 0) + (rest.removed[table] ?? 0);
  for (const table of ["events", "items", "order_keys", "api_keys"])
    expect(merchant.rows[table]).toBe(sum(table));
});
