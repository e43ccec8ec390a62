import { createHash, randomUUID, randomUUIDv7 } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type EventRow, eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase(1);
});

afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 20, 10);

/** The id of an event whose SDK gave it a text: a UUIDv8 from its hash, as the collector makes it. */
function textId(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const KINDS = {
  "a UUIDv7": () => randomUUIDv7(),
  "a UUIDv4": () => randomUUID(),
  "a text": () => textId(randomUUID()),
};

/** Rows with a copy's id, by merchant. */
const stored = (id: string) =>
  query<{ merchant_id: number; copies: number }>(
    "SELECT merchant_id, count(*)::integer AS copies FROM events WHERE event_id = $1 GROUP BY 1 ORDER BY 1",
    [id],
  );

/** The ledger must add up after every test, line by line and with what is stored. */
afterEach(async () => {
  expect(await query("SELECT * FROM batch_ledger WHERE rows <> stored + duplicates + dead_lettered")).toEqual(
    [],
  );
  const [sums] = await query<{ ledger: string; events: string; keys: string; distinct: string }>(
    `SELECT (SELECT coalesce(sum(stored), 0) FROM batch_ledger) AS ledger, (SELECT count(*) FROM events) AS events,
       (SELECT count(*) FROM event_keys) AS keys,
       (SELECT count(*) FROM (SELECT DISTINCT merchant_id, event_id FROM events) AS e) AS "distinct"`,
  );
  expect(sums).toEqual({
    ledger: sums!.events,
    events: sums!.events,
    keys: sums!.events,
    distinct: sums!.events,
  });
});

describe.each(Object.entries(KINDS))("an event with %s for an id is stored once", (_, newId) => {
  /** Copies that differ in all that may differ: client time by 40 days, received time, visitor. */
  const copies = (id: string): [EventRow, EventRow, EventRow] => [
    eventRow({ event_id: id, ts: NOW, received_at: NOW, visitor_id: 1n }),
    eventRow({ event_id: id, ts: NOW - 40 * DAY, received_at: NOW + 3 * DAY, visitor_id: 2n }),
    eventRow({ event_id: id, ts: NOW + 1, received_at: NOW + 30 * DAY, visitor_id: 3n }),
  ];
  const other = () => eventRow({ event_id: newId(), ts: NOW });

  test("when its copies are in one batch", async () => {
    const id = newId();
    const [a, b, c] = copies(id);
    const committed = await commitNext(database.pool, [batchOf([other(), a, b, other(), c])]);
    expect(committed).toMatchObject({ stored: 3, duplicates: 2 });
    expect(await query("SELECT visitor_id FROM events WHERE event_id = $1", [id])).toEqual([
      { visitor_id: "1" },
    ]);
  });

  test("when they are in several batches of one commit: the first one keeps it", async () => {
    const id = newId();
    const [a, b, c] = copies(id);
    const batches = [batchOf([other(), a]), batchOf([b]), batchOf([c, other(), other()])];
    expect(await commitNext(database.pool, batches)).toMatchObject({ stored: 4, duplicates: 2 });
    const lines = await query<{ stored: number; duplicates: number }>(
      "SELECT stored, duplicates FROM batch_ledger WHERE batch_id = ANY($1) ORDER BY stream_seq",
      [batches.map(({ batchId }) => batchId)],
    );
    expect(lines).toEqual([
      { stored: 2, duplicates: 0 },
      { stored: 0, duplicates: 1 },
      { stored: 2, duplicates: 1 },
    ]);
  });

  test("when they come in several commits", async () => {
    const id = newId();
    const answers = [];
    for (const copy of copies(id)) answers.push(await commitNext(database.pool, [batchOf([other(), copy])]));
    expect(answers.map(({ duplicates }) => duplicates)).toEqual([0, 1, 1]);
    expect(await stored(id)).toEqual([{ merchant_id: 1, copies: 1 }]);
  });

  test("when its chunks are compressed meanwhile", async () => {
    const id = newId();
    const [a, b, c] = copies(id);
    await commitNext(database.pool, [batchOf([a, other()])]);
    await compress();
    expect(await commitNext(database.pool, [batchOf([b, other()])])).toMatchObject({
      stored: 1,
      duplicates: 1,
    });
    expect(await commitNext(database.pool, [batchOf([c, other()])])).toMatchObject({
      stored: 1,
      duplicates: 1,
    });
    expect(await stored(id)).toEqual([{ merchant_id: 1, copies: 1 }]);
  });

  test("for each merchant that has it", async () => {
    const id = newId();
    const [a, b, c] = copies(id);
    const rows = [a, { ...b, merchant_id: 2 }, { ...c, merchant_id: 2 }, { ...b, merchant_id: 3 }];
    expect(await commitNext(database.pool, [batchOf(rows)])).toMatchObject({ stored: 3, duplicates: 1 });
    expect(await commitNext(database.pool, [batchOf(rows)])).toMatchObject({ stored: 0, duplicates: 4 });
    expect(await stored(id)).toEqual([1, 2, 3].map((merchant_id) => ({ merchant_id, copies: 1 })));
  });
});

/** Compresses every chunk of the events and of their keys, as a policy would in production. */
async function compress(): Promise<void> {
  await query(
    "ALTER TABLE events SET (timescaledb.compress, timescaledb.compress_orderby = 'merchant_id, ts')",
  );
  await query("ALTER TABLE event_keys SET (timescaledb.compress, timescaledb.compress_orderby = 'key_time')");
  for (const table of ["events", "event_keys"]) {
    await query(
      `SELECT compress_chunk(chunk, if_not_compressed => true) FROM show_chunks('${table}') AS chunk`,
    );
  }
  const compressed =
    "SELECT DISTINCT hypertable_name AS name FROM timescaledb_information.chunks WHERE is_compressed";
  expect((await query<{ name: string }>(compressed)).map(({ name }) => name).sort()).toEqual([
    "event_keys",
    "events",
  ]);
}

test("items of a duplicate are left out with it", async () => {
  const item = {
    item_id: "i",
    name: null,
    brand: null,
    category: null,
    variant: null,
    price_micros: 1,
    quantity_micros: 2_000_000,
  };
  const row = eventRow({ items: [item, item] });
  await commitNext(database.pool, [batchOf([row, eventRow(), { ...row, ts: row.ts + DAY }])]);
  expect(await query("SELECT position FROM items WHERE event_id = $1 ORDER BY 1", [row.event_id])).toEqual([
    { position: 0 },
    { position: 1 },
  ]);
});

test("events of any kinds of id, in any batches and commits, are stored once each", async () => {
  const pool = Array.from({ length: 12 }, (_, at) => Object.values(KINDS)[at % 3]!());
  let merchant = 10;
  const event = fc.record({ id: fc.nat(pool.length - 1), days: fc.nat(20) });
  const commits = fc.array(
    fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
    {
      maxLength: 5,
    },
  );
  const check = async (given: { id: number; days: number }[][][]) => {
    merchant++;
    const row = ({ id, days }: { id: number; days: number }) =>
      eventRow({ merchant_id: merchant, event_id: pool[id]!, ts: NOW - days * DAY });
    for (const commit of given)
      await commitNext(
        database.pool,
        commit.map((rows) => batchOf(rows.map(row))),
      );
    const ids = await query<{ id: string }>("SELECT event_id AS id FROM events WHERE merchant_id = $1", [
      merchant,
    ]);
    const expected = new Set(given.flat(2).map(({ id }) => pool[id]!));
    expect(ids.map(({ id }) => id).sort()).toEqual([...expected].sort());
  };
  await fc.assert(fc.asyncProperty(commits, check), { numRuns: 25 });
});
