import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { forbidDecompression, openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { convertOld } from "../maintenance/columnstore.ts";
import { SESSION_GAP_MS } from "./join.ts";

const NOW = Date.UTC(2026, 2, 20, 23);
const MINUTE = 60_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());
beforeEach(async () => {
  await database.pool.query("TRUNCATE events, items, visitor_sessions");
});

interface Seen {
  readonly visitor: number;
  /** Minutes after NOW. */
  readonly minute: number;
}

const ITEM = {
  item_id: "a",
  name: null,
  brand: null,
  category: null,
  variant: null,
  price_micros: 1,
  quantity_micros: 1_000_000,
};

/** Events without a session, each with an item. */
const rowsOf = (seen: readonly Seen[]) =>
  seen.map(({ visitor, minute }) =>
    eventRow({ visitor_id: BigInt(visitor), session_id: 0n, ts: NOW + minute * MINUTE, items: [ITEM] }),
  );

const store = async (...seen: Seen[]) => {
  await commitNext(database.pool, [batchOf(rowsOf(seen))]);
};

const visit = (...minutes: number[]) => minutes.map((minute) => ({ visitor: 1, minute }));

/** How many sessions the visitor's events belong to. */
async function sessions(visitor = 1): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    "SELECT count(DISTINCT session_id)::integer AS n FROM events WHERE visitor_id = $1",
    [visitor],
  );
  return rows[0]!.n;
}

/**
 * The sessions of stored events by plain SQL, from the pauses between them: as [visitor, first minute, last minute,
 * session ids that its events have].
 */
async function recount(): Promise<unknown[]> {
  const { rows } = await database.pool.query({
    text: `WITH paused AS (
        SELECT *, coalesce(ts - lag(ts) OVER v > INTERVAL '${SESSION_GAP_MS} milliseconds', true) AS begins
        FROM events WINDOW v AS (PARTITION BY merchant_id, visitor_id ORDER BY ts)
      ), numbered AS (
        SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY merchant_id, visitor_id ORDER BY ts) AS n FROM paused
      )
      SELECT visitor_id::integer, min(ts), max(ts), count(DISTINCT session_id)::integer AS ids,
        min(session_id)::text AS id
      FROM numbered GROUP BY merchant_id, visitor_id, n ORDER BY 1, 2`,
    rowMode: "array",
  });
  return rows;
}

/** Items whose visitor or session is not that of their event. */
async function strayItems(): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM items i LEFT JOIN events e USING (merchant_id, ts, event_id)
     WHERE (i.visitor_id, i.session_id) IS DISTINCT FROM (e.visitor_id, e.session_id)`,
  );
  return rows[0]!.n;
}

/** Each session has one id, no two have the same, and visitor_sessions and the events' items say the same. */
async function expectRight(): Promise<void> {
  expect(await strayItems()).toBe(0);
  const counted = (await recount()) as [number, Date, Date, number, string][];
  expect(counted.filter(([, , , ids]) => ids !== 1)).toEqual([]);
  expect(new Set(counted.map(([visitor, , , , id]) => `${visitor} ${id}`)).size).toBe(counted.length);
  const { rows } = await database.pool.query({
    text: "SELECT visitor_id::integer, started_at, ended_at, 1, session_id::text FROM visitor_sessions ORDER BY 1, 2",
    rowMode: "array",
  });
  expect(rows).toEqual(counted);
}

describe("30 minutes without activity end a session", () => {
  test("within a batch, over batches, and past midnight", async () => {
    await store(...visit(0, 30, 61));
    expect(await sessions()).toBe(2);
    await store(...visit(90, 121));
    expect(await sessions()).toBe(3);
    await expectRight();
  });

  test("a late event before a session makes it begin earlier", async () => {
    await store(...visit(100));
    await store(...visit(80));
    expect(await sessions()).toBe(1);
    await expectRight();
  });

  test("a late event between two sessions makes them one, in stored rows too", async () => {
    await store(...visit(0, 10));
    await store(...visit(60, 65));
    await store(...visit(120));
    expect(await sessions()).toBe(3);
    await store(...visit(35));
    expect(await sessions()).toBe(2);
    await store(...visit(90));
    expect(await sessions()).toBe(1);
    await expectRight();
  });

  test("also where the rows are in the columnstore", async () => {
    await store(...visit(0, 10));
    await store(...visit(60, 65));
    await database.pool.query("SELECT compress_chunk(c) FROM show_chunks('events') c");
    await store(...visit(35));
    expect(await sessions()).toBe(1);
    await expectRight();
  });

  test("visitors do not share sessions, nor do merchants", async () => {
    await store({ visitor: 1, minute: 0 }, { visitor: 2, minute: 0 });
    const other = eventRow({ merchant_id: 2, visitor_id: 1n, session_id: 0n, ts: NOW });
    await commitNext(database.pool, [batchOf([other])]);
    const { rows } = await database.pool.query("SELECT count(DISTINCT session_id)::integer AS n FROM events");
    expect(rows).toEqual([{ n: 3 }]);
  });

  test("a session that an SDK names stays as it is", async () => {
    const named = eventRow({ visitor_id: 1n, session_id: 77n, ts: NOW });
    await commitNext(database.pool, [batchOf([named, ...rowsOf(visit(1))])]);
    const { rows } = await database.pool.query("SELECT session_id = 77 AS named FROM events ORDER BY ts");
    expect(rows).toEqual([{ named: true }, { named: false }]);
  });
});

test("an event that is stored already does not move its session", async () => {
  const [first] = rowsOf(visit(0));
  await commitNext(database.pool, [batchOf([first!])]);
  await commitNext(database.pool, [batchOf([{ ...first!, ts: NOW + 20 * MINUTE }])]);
  await expectRight();
});

test("whatever the batches and their order: as counted from all rows", async () => {
  const seen = fc.record({
    visitor: fc.integer({ min: 1, max: 3 }),
    minute: fc.integer({ min: 0, max: 400 }),
  });
  const batches = fc.array(fc.array(seen, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(batches, async (all) => {
      await database.pool.query("TRUNCATE events, items, visitor_sessions");
      for (const batch of all) await store(...batch);
      await expectRight();
    }),
    { numRuns: 25 },
  );
});

test("an event joins two sessions that are in the columnstore, however much must be unpacked", async () => {
  await store(...visit(0, 50));
  await convertOld(database.pool, NOW + 30 * 86_400_000);
  await forbidDecompression(database.pool);
  expect(await sessions()).toBe(2);
  await store(...visit(25));
  expect(await sessions()).toBe(1);
});
