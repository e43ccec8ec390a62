import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventColumns, eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { dyingAt } from "../../test/kit/dying-pool.ts";
import { type Commit, commitBatches, FencedError } from "./write-batches.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase(4);
});

afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

/** Rows of every table that a commit writes to. */
const everything = () =>
  query(`SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM items) AS items,
    (SELECT count(*) FROM event_keys) AS keys, (SELECT count(*) FROM batch_ledger) AS ledger,
    (SELECT json_agg(i ORDER BY start, partition_id) FROM invalidations i)::text AS stale,
    (SELECT json_agg(g ORDER BY partition_id, first_seq) FROM stream_gaps g)::text AS gaps,
    (SELECT json_agg(p ORDER BY partition_id) FROM partitions p)::text AS positions`);

/** A commit of partition 1 from a position on. */
const commitOf = (after: number, fields: Partial<Commit> = {}): Commit => ({
  partition: 1,
  after,
  through: after + 1,
  storedThrough: Date.UTC(2026, 2, 1, 12),
  batches: [],
  gaps: [],
  ...fields,
});

describe("position and ledger", () => {
  test("a commit moves the position, committed_through and nothing of other partitions", async () => {
    const batch = batchOf([eventRow({ merchant_id: 3 })], {
      streamSeq: 5,
      collectorId: "c-1",
      checksum: 2 ** 32 - 1,
    });
    const before = await query("SELECT * FROM partitions WHERE partition_id <> 1 ORDER BY 1");
    await commitBatches(database.pool, commitOf(0, { through: 5, batches: [batch] }));
    expect(await query("SELECT * FROM partitions WHERE partition_id <> 1 ORDER BY 1")).toEqual(before);
    expect(
      await query("SELECT stream_seq, committed_through FROM partitions WHERE partition_id = 1"),
    ).toEqual([{ stream_seq: "5", committed_through: new Date("2026-03-01T12:00:00Z") }]);
    const line = `SELECT partition_id, stream_seq, collector_id, rows, stored, duplicates, dead_lettered, checksum,
      batch_time FROM batch_ledger WHERE batch_id = $1`;
    expect(await query(line, [batch.batchId])).toEqual([
      {
        partition_id: 1,
        stream_seq: "5",
        collector_id: "c-1",
        rows: 1,
        stored: 1,
        duplicates: 0,
        dead_lettered: 0,
        checksum: "4294967295",
        batch_time: new Date(batch.batchTime),
      },
    ]);
  });

  test("a batch that the ledger knows is skipped, and so is its second copy in one commit", async () => {
    const batch = batchOf([eventRow({ merchant_id: 4 })]);
    const first = await commitNext(database.pool, [batch, batch]);
    expect(first).toEqual({ stored: 1, duplicates: 0, deadLettered: 0, erased: 0, repeatedBatches: 1 });
    const again = await commitNext(database.pool, [batch]);
    expect(again).toEqual({ stored: 0, duplicates: 0, deadLettered: 0, erased: 0, repeatedBatches: 1 });
    expect(await query("SELECT rows, stored FROM batch_ledger WHERE batch_id = $1", [batch.batchId])).toEqual(
      [{ rows: 1, stored: 1 }],
    );
    expect(await query("SELECT 1 FROM events WHERE merchant_id = 4")).toHaveLength(1);
  });

  test("a batch that could not be processed has a ledger line of dead-lettered rows, and stores none", async () => {
    const batch = batchOf([], { rows: 17, columns: undefined });
    const committed = await commitNext(database.pool, [batch]);
    expect(committed).toEqual({ stored: 0, duplicates: 0, deadLettered: 17, erased: 0, repeatedBatches: 0 });
    const line = "SELECT rows, stored, duplicates, dead_lettered FROM batch_ledger WHERE batch_id = $1";
    expect(await query(line, [batch.batchId])).toEqual([
      { rows: 17, stored: 0, duplicates: 0, dead_lettered: 17 },
    ]);
  });

  test("missing sequences are written down", async () => {
    const gaps = [
      [6, 6],
      [9, 12],
    ] as const;
    await commitNext(database.pool, [], { partition: 2, through: 13, gaps });
    expect(
      await query("SELECT first_seq, last_seq FROM stream_gaps WHERE partition_id = 2 ORDER BY first_seq"),
    ).toEqual([
      { first_seq: "6", last_seq: "6" },
      { first_seq: "9", last_seq: "12" },
    ]);
  });

  test("the quarter hours of stored rows are stale, those of duplicates are not", async () => {
    await query("DELETE FROM invalidations");
    const at = (time: string, id: string) =>
      eventRow({ merchant_id: 5, ts: Date.parse(time), event_id: `00000000-0000-4000-8000-0000000005${id}` });
    const stale = `SELECT start FROM invalidations WHERE partition_id = 3 ORDER BY 1`;
    await commitNext(
      database.pool,
      [batchOf([at("1969-12-31T23:59:59.999Z", "01"), at("2026-03-29T01:15:00Z", "02")])],
      { partition: 3 },
    );
    const expected = ["1969-12-31T23:45:00Z", "2026-03-29T01:15:00Z"].map((time) => ({
      start: new Date(time),
    }));
    expect(await query(stale)).toEqual(expected);
    const copies = [batchOf([at("2026-03-30T01:15:00Z", "01")])];
    expect(await commitNext(database.pool, copies, { partition: 3 })).toMatchObject({
      stored: 0,
      duplicates: 1,
    });
    expect(await query(stale)).toEqual(expected);
  });
});

describe("failure", () => {
  test("of two writers that start from one position, one commits and the other leaves nothing", async () => {
    const [{ seq }] = (await query<{ seq: string }>(
      "SELECT stream_seq AS seq FROM partitions WHERE partition_id = 1",
    )) as [{ seq: string }];
    const writer = (merchant: number) =>
      commitBatches(
        database.pool,
        commitOf(Number(seq), {
          batches: [batchOf([eventRow({ merchant_id: merchant })])],
          gaps: [[merchant, merchant]],
        }),
      );
    const outcomes = await Promise.allSettled([writer(71), writer(72)]);
    const loser = outcomes.findIndex(({ status }) => status === "rejected");
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((outcomes[loser] as PromiseRejectedResult).reason).toBeInstanceOf(FencedError);
    const merchants = "SELECT DISTINCT merchant_id AS id FROM events WHERE merchant_id IN (71, 72)";
    expect(await query(merchants)).toEqual([{ id: [72, 71][loser] }]);
    const gaps = "SELECT first_seq AS seq FROM stream_gaps WHERE partition_id = 1 AND first_seq > 70";
    expect(await query(gaps)).toEqual([{ seq: String([72, 71][loser]) }]);
    expect(await query("SELECT 1 FROM event_keys WHERE merchant_id IN (71, 72)")).toHaveLength(1);
  });

  test("a writer that comes late leaves nothing", async () => {
    const before = await everything();
    const late = commitBatches(
      database.pool,
      commitOf(0, { batches: [batchOf([eventRow({ merchant_id: 73 })])] }),
    );
    await expect(late).rejects.toThrow("partition 1: its position is not 0 any more");
    expect(await everything()).toEqual(before);
  });

  test.each([
    "COPY event_keys",
    "COPY events",
    "COPY items",
    "INSERT INTO batch_ledger",
    "INSERT INTO invalidations",
    "COMMIT",
  ])("a connection that dies at `%s` leaves nothing, and the commit can be done again", async (statement) => {
    const item = {
      item_id: "x",
      name: null,
      brand: null,
      category: null,
      variant: null,
      price_micros: 1,
      quantity_micros: 1_000_000,
    };
    const batches = [batchOf([eventRow({ merchant_id: 8, items: [item] })])];
    const before = await everything();
    await expect(commitNext(dyingAt(database.pool, statement), batches, { partition: 3 })).rejects.toThrow();
    expect(await everything()).toEqual(before);
    expect(await commitNext(database.pool, batches, { partition: 3 })).toMatchObject({ stored: 1 });
  });

  test("rows that the database refuses leave nothing", async () => {
    const before = await everything();
    const columns = eventColumns([eventRow({ merchant_id: 9 })]);
    const bad = {
      ...columns,
      texts: { ...columns.texts, source: Buffer.from([0xff]), start: () => 0, end: () => 1 },
    };
    const commit = commitNext(database.pool, [
      batchOf([eventRow({ merchant_id: 9 })]),
      batchOf([], { rows: 1, columns: bad }),
    ]);
    await expect(commit).rejects.toMatchObject({ code: "22021" });
    expect(await everything()).toEqual(before);
  });
});
