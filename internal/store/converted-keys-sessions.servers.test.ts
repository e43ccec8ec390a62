import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase, testPool } from "../../test/kit/database.ts";
import { uuidV7Of } from "../../test/kit/ids.ts";
import { convertOld } from "./maintenance/columnstore.ts";
import { createPool, type Pool, transaction } from "./pool.ts";
import { isTemporary } from "./temporary.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 20, 10);
const OLD = NOW - 300 * DAY;
const PARTITIONS = 3;

/**
 * Sessions beside one another, which the embedded database does not have: a server of one's own shows these.
 * `FOOTFALL_TEST_DATABASE_URL=postgres://... npx vitest run internal/store/converted-keys-sessions.servers.test.ts`
 */
describe.skipIf(process.env.FOOTFALL_TEST_DATABASE_URL === undefined)("on a server of many sessions", () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeAll(async () => {
    database = await openTestDatabase(PARTITIONS);
    pool = testPool(database.url, PARTITIONS + 2);
  });
  afterAll(async () => {
    await pool?.end();
    await database?.close();
  });
  beforeEach(() => pool.query("TRUNCATE events, event_keys, batch_ledger"));

  const ids = (count: number) => Array.from({ length: count }, (_, at) => uuidV7Of(OLD + at));
  /** One merchant's events, through any partition: a merchant has one, so that this is harder than what happens. */
  const commit = (partition: number, events: readonly string[], by = pool) =>
    commitNext(by, [batchOf(events.map((event_id) => eventRow({ event_id, ts: NOW })))], { partition });
  const convert = () => convertOld(pool, NOW);
  const count = async (sql: string) => (await pool.query<{ n: number }>(sql)).rows[0]!.n;
  const stored = () => count("SELECT count(*)::integer AS n FROM events");
  const chunk = async () =>
    (
      await pool.query<{ chunk: string }>(
        "SELECT c::text AS chunk FROM show_chunks('event_keys') c ORDER BY 1 LIMIT 1",
      )
    ).rows[0]!.chunk;

  /** Resolves when so many sessions wait for a lock. */
  async function waiting(sessions: number): Promise<void> {
    const sql = `SELECT count(*)::integer AS n FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await count(sql)) < sessions) await sleep(5);
  }

  test("a new id that two sessions claim in a converted chunk is stored once", async () => {
    await commit(0, ids(10));
    await convert();
    for (let round = 0; round < 50; round++) {
      const late = ids(20);
      const both = await Promise.all([commit(0, late), commit(1, [...late].reverse())].map(orRetried));
      expect(both.reduce((sum, n) => sum + n, 0)).toBe(20);
    }
    expect(await stored()).toBe(10 + 50 * 20);
  });

  test("a stored id that two sessions claim in a converted chunk is refused to both", async () => {
    const known = ids(3_000);
    await commit(0, known);
    await convert();
    for (let round = 0; round < 10; round++) {
      const both = await Promise.all([commit(0, known), commit(1, [...known].reverse())].map(orRetried));
      expect(both).toEqual([0, 0]);
    }
  });

  test.each(["first", "again"])("a claim that is open holds a conversion up, the %s time", async (time) => {
    await commit(0, ids(10));
    if (time === "again") await convert();
    const [id] = ids(1);
    if (time === "again") await commit(0, ids(1));
    const done: string[] = [];
    let converting: Promise<unknown> = Promise.resolve();
    let second: Promise<number> = Promise.resolve(0);
    await transaction(pool, async (client) => {
      await client.query("INSERT INTO event_keys (key_time, merchant_id, event_id) VALUES ($1, 1, $2)", [
        new Date(Number.parseInt(id!.replace("-", "").slice(0, 12), 16)),
        id,
      ]);
      converting = convert().then(() => done.push("converted"));
      await waiting(1);
      // It waits behind the conversion, and must see what that has packed.
      second = commit(1, [id!]).then(({ stored: n }) => n);
      await waiting(2);
      expect(done).toEqual([]);
    });
    await converting;
    expect(await second).toBe(0);
  });

  test("a claim that waits for a conversion for too long fails, to be tried again", async () => {
    const known = ids(10);
    await commit(0, known);
    const impatient = createPool({
      url: database.url,
      name: "test",
      maxConnections: 2,
      statementTimeoutMs: 0,
      lockTimeoutMs: 200,
    });
    await transaction(pool, async (client) => {
      await client.query(`LOCK TABLE ${await chunk()} IN EXCLUSIVE MODE`);
      const error = await commit(1, [...known, ...ids(1)], impatient).catch((failed) => failed);
      expect(error).toMatchObject({ code: "55P03" });
      expect(isTemporary(error)).toBe(true);
      // Ids of now stand in another chunk.
      expect(await commit(1, [uuidV7Of(NOW)], impatient)).toMatchObject({ stored: 1 });
    });
    expect(await commit(1, [...known, ...ids(1)], impatient)).toMatchObject({ stored: 1, duplicates: 10 });
    await impatient.end();
  });

  test("ids are stored once each while their chunk is converted again and again", async () => {
    const all = ids(6_000);
    await commit(0, all.slice(0, 3_000));
    let running = true;
    let conversions = 0;
    const converter = (async () => {
      while (running) conversions += await convert();
    })();
    const until = Date.now() + 5_000;
    const writer = async (partition: number) => {
      let added = 0;
      while (Date.now() < until) {
        const from = Math.floor(Math.random() * 5_900);
        const some = all.slice(from, from + 1 + Math.floor(Math.random() * 100));
        added += await orRetried(commit(partition, some)).catch(() => 0);
      }
      return added;
    };
    const added = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => writer(partition)));
    running = false;
    await converter;
    expect(conversions).toBeGreaterThan(5);
    expect(await stored()).toBe(3_000 + added.reduce((sum, n) => sum + n, 0));
    expect(await count("SELECT count(DISTINCT event_id)::integer AS n FROM events")).toBe(await stored());
    expect(await count("SELECT count(*)::integer AS n FROM event_keys")).toBe(await stored());
  });
});

/** How many were stored; 0 where the commit failed as one of two that wait for each other: nothing of it was written. */
async function orRetried(committing: Promise<{ readonly stored: number }>): Promise<number> {
  try {
    return (await committing).stored;
  } catch (error) {
    if (!isTemporary(error)) throw error;
    return 0;
  }
}
