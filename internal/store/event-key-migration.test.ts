import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventRow } from "../testkit/columns.ts";
import { batchOf, commitNext } from "../testkit/commits.ts";
import { openEmptyDatabase, type TestDatabase } from "../testkit/database.ts";
import { uuidV7Of } from "../testkit/ids.ts";
import { migrateBefore } from "../testkit/older-database.ts";
import { convertOld } from "./maintenance/columnstore.ts";
import { migrate } from "./migrate.ts";

const NOW = Date.UTC(2026, 2, 20);

let database: TestDatabase;
beforeAll(async () => {
  database = await openEmptyDatabase();
  await migrateBefore(database.url, 16, 1);
});
afterAll(() => database?.close());

test("keys of before are found where copies are looked for now, whatever time is in the id", async () => {
  // What counted as a time before: 2010 to 2100.
  const keys = [
    { id: uuidV7Of(Date.UTC(2009, 11, 31)), keyTime: 0 },
    { id: uuidV7Of(Date.UTC(2010, 0)), keyTime: Date.UTC(2010, 0) },
    { id: uuidV7Of(Date.UTC(2019, 11, 31)), keyTime: Date.UTC(2019, 11, 31) },
    { id: uuidV7Of(Date.UTC(2020, 0)), keyTime: Date.UTC(2020, 0) },
    { id: uuidV7Of(NOW), keyTime: NOW },
    { id: uuidV7Of(Date.UTC(2050, 0) - 1), keyTime: Date.UTC(2050, 0) - 1 },
    { id: uuidV7Of(Date.UTC(2050, 0)), keyTime: Date.UTC(2050, 0) },
    { id: uuidV7Of(Date.UTC(2099, 11, 31)), keyTime: Date.UTC(2099, 11, 31) },
    { id: randomUUID(), keyTime: 0 },
  ];
  for (const { id, keyTime } of keys) {
    await database.pool.query(
      "INSERT INTO event_keys (key_time, merchant_id, event_id, received_at) VALUES ($1, 1, $2, $3)",
      [new Date(keyTime), id, keyTime === 0 ? new Date(NOW) : null],
    );
  }
  const insert = "INSERT INTO event_keys (key_time, merchant_id, event_id) VALUES ($1, 2, gen_random_uuid())";
  await migrate(database.pool, 1);
  const copies = batchOf(keys.map(({ id }) => eventRow({ event_id: id, ts: NOW })));
  expect(await commitNext(database.pool, [copies])).toMatchObject({ stored: 0, duplicates: keys.length });
  expect(await convertOld(database.pool, NOW + 300 * 86_400_000)).toBeGreaterThanOrEqual(2);
  const again = batchOf(keys.map(({ id }) => eventRow({ event_id: id, ts: NOW })));
  expect(await commitNext(database.pool, [again])).toMatchObject({ stored: 0, duplicates: keys.length });
  // A program of before would put such a key where nobody looks.
  for (const year of [2015, 2060]) {
    const refused = database.pool.query(insert, [new Date(Date.UTC(year, 5))]);
    await expect(refused).rejects.toMatchObject({ code: "23514" });
  }
  await database.pool.query(insert, [new Date(NOW)]);
});
