import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { forbidDecompression, openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { uuidV7Of } from "../../test/kit/ids.ts";
import { convertOld } from "./maintenance/columnstore.ts";
import { expire } from "./maintenance/retention.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 20, 10);
/** Their chunks ended long ago. */
const OLD = [400, 300, 290].map((days) => NOW - days * DAY);

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
  await forbidDecompression(database.pool);
});
afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

// Whatever was done: each event stands once, and so does its key.
afterEach(async () => {
  const twice = (table: string) =>
    query(`SELECT merchant_id, event_id FROM ${table} GROUP BY 1, 2 HAVING count(*) > 1`);
  expect([await twice("events"), await twice("event_keys")]).toEqual([[], []]);
  await query("TRUNCATE events, event_keys, batch_ledger, merchants CASCADE");
});

/** Commits one batch for each list of ids; the events are of now, so that only their ids are old. */
function commit(...batches: (readonly string[])[]) {
  const rows = (ids: readonly string[]) => ids.map((id) => eventRow({ event_id: id, ts: NOW }));
  return commitNext(
    database.pool,
    batches.map((ids) => batchOf(rows(ids))),
  );
}

const convert = () => convertOld(database.pool, NOW - 3 * DAY);

/** Chunks of event_keys, oldest first: whether they are converted, and have rows beside. */
const chunks = () =>
  query<{ epoch: boolean; converted: boolean; partial: boolean }>(
    `SELECT i.range_start <= to_timestamp(0) AS epoch, c.status & 1 <> 0 AS converted, c.status & 8 <> 0 AS partial
     FROM timescaledb_information.chunks i
     JOIN _timescaledb_catalog.chunk c ON c.schema_name = i.chunk_schema AND c.table_name = i.chunk_name
     WHERE i.hypertable_name = 'event_keys' ORDER BY i.range_start`,
  );

const CONVERTED = { epoch: false, converted: true, partial: false };
const ROWS = { epoch: false, converted: false, partial: false };
const ids = (count: number, time = OLD[0]!) => Array.from({ length: count }, (_, at) => uuidV7Of(time + at));

describe("once its chunk is converted", () => {
  test("a stored id is refused in another batch, alone or among new ones, in one commit or several", async () => {
    const known = [...ids(5), ...ids(5, OLD[1]), randomUUID(), uuidV7Of(NOW)];
    await commit(known);
    expect(await convert()).toBe(2);
    expect(await chunks()).toEqual([{ ...ROWS, epoch: true }, CONVERTED, CONVERTED, ROWS]);
    expect(await commit([known[0]!])).toMatchObject({ stored: 0, duplicates: 1 });
    expect(await commit(known)).toMatchObject({ stored: 0, duplicates: known.length });
    const others = [...ids(3), ...ids(3, OLD[2]), randomUUID(), uuidV7Of(NOW)];
    expect(await commit([...others, ...known])).toMatchObject({
      stored: others.length,
      duplicates: known.length,
    });
    const more = ids(2);
    const committed = await commit([known[0]!, more[0]!], [known[0]!, known[7]!], [more[0]!, more[1]!]);
    expect(committed).toMatchObject({ stored: 2, duplicates: 4 });
    expect(await commit([...more, ...others])).toMatchObject({ stored: 0, duplicates: 10 });
  });

  test("the batch that brought it is skipped as before", async () => {
    const batch = batchOf(ids(3).map((id) => eventRow({ event_id: id, ts: NOW })));
    expect(await commitNext(database.pool, [batch])).toMatchObject({ stored: 3 });
    await convert();
    expect(await commitNext(database.pool, [batch])).toMatchObject({ stored: 0, repeatedBatches: 1 });
  });

  test("another merchant may have the same id", async () => {
    const [id] = ids(1);
    await commit([id!]);
    await convert();
    const rows = [1, 2].map((merchant_id) => eventRow({ merchant_id, event_id: id!, ts: NOW }));
    expect(await commitNext(database.pool, [batchOf(rows)])).toMatchObject({ stored: 1, duplicates: 1 });
  });

  test("late new ids are stored once, and the chunk is converted again with them", async () => {
    await commit(ids(5));
    await convert();
    const late = ids(5, OLD[0]! + 1_000);
    expect(await commit(late)).toMatchObject({ stored: 5 });
    expect(await chunks()).toEqual([{ ...CONVERTED, partial: true }]);
    expect(await commit(late, ids(1))).toMatchObject({ stored: 1, duplicates: 5 });
    expect(await convert()).toBe(1);
    expect(await chunks()).toEqual([CONVERTED]);
    expect(await commit(late)).toMatchObject({ stored: 0, duplicates: 5 });
    expect(await convert()).toBe(1);
    expect(await convert()).toBe(0);
    expect(await query("SELECT count(*)::integer AS n FROM event_keys")).toEqual([{ n: 11 }]);
  });

  test("thousands of copies, in segments that TimescaleDB would unpack, are refused", async () => {
    const known = ids(3_500);
    await commit(known);
    await convert();
    const late = ids(10, OLD[0]! + DAY);
    expect(await commit([...late, ...known])).toMatchObject({ stored: 10, duplicates: 3_500 });
    expect(await commit([...late, ...known])).toMatchObject({ stored: 0, duplicates: 3_510 });
  });

  test("ids without a time stay rows, and are refused and forgotten as before", async () => {
    await query(
      `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days) OVERRIDING SYSTEM VALUE
       VALUES (1, 'shop', 'UTC', 'EUR', 30)`,
    );
    const timeless = [randomUUID(), uuidV7Of(Date.UTC(2015, 0)), uuidV7Of(Date.UTC(2060, 0))];
    const rows = timeless.map((id) => eventRow({ event_id: id, ts: NOW, received_at: NOW }));
    await commitNext(database.pool, [batchOf(rows)]);
    const usual = ids(3).map((id) => eventRow({ event_id: id, ts: NOW, received_at: OLD[0]! }));
    await commitNext(database.pool, [batchOf(usual)]);
    // Forgotten with its chunk, converted or not; the others a month after the retention.
    await convert();
    await expire(database.pool, NOW);
    expect(await chunks()).toEqual([{ ...ROWS, epoch: true }]);
    expect(await commit(timeless)).toMatchObject({ stored: 0, duplicates: 3 });
    await expire(database.pool, NOW + 61 * DAY);
    expect(await query("SELECT FROM event_keys")).toEqual([]);
  });
});

test("ids are stored once each, however commits and conversions follow one another", async () => {
  const known = Array.from({ length: 15 }, (_, at) =>
    at % 5 === 4 ? randomUUID() : uuidV7Of([...OLD, NOW][at % 5]! + at),
  );
  const step = fc.oneof(
    fc.array(fc.array(fc.nat(known.length - 1), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.constant("convert" as const),
  );
  let merchant = 10;
  const check = async (steps: (number[][] | "convert")[]) => {
    merchant++;
    const stored = new Set<number>();
    for (const todo of steps) {
      if (todo === "convert") {
        await convert();
        continue;
      }
      const row = (at: number) => eventRow({ merchant_id: merchant, event_id: known[at]!, ts: NOW });
      const fresh = new Set(todo.flat().filter((at) => !stored.has(at)));
      const batches = todo.map((all) => batchOf(all.map(row)));
      expect((await commitNext(database.pool, batches)).stored).toBe(fresh.size);
      for (const at of fresh) stored.add(at);
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 8 }), check), { numRuns: 25 });
}, 60_000);
