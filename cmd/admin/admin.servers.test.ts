import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import type { StreamOverview } from "../../internal/stream/overview.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { openEmptyDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { openTestNats } from "../../test/kit/nats.ts";
import { resultOf, runAdmin } from "./testing/run.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openEmptyDatabase();
});
afterAll(() => database?.close());

const run = (args: readonly string[], env: NodeJS.ProcessEnv = { DATABASE_URL: database.url }) =>
  runAdmin(args, env);
const result = <T>(...args: string[]) => resultOf<T>(args, { DATABASE_URL: database.url });

const query = async <T>(sql: string) => (await database.pool.query(sql)).rows as T[];

/** Every row of every table of ours, as one text each; bytes as hex. */
async function everything(): Promise<string[]> {
  const tables = await query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  expect(tables.length).toBeGreaterThan(8);
  const rows = await Promise.all(
    tables.map(({ name }) => query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)),
  );
  return rows.flat().map(({ row }) => row);
}

// In their order: a database on its first day.
describe("commands", () => {
  test("before migrate: a clear end, and exit code 1", async () => {
    const { code, stderr, stdout } = await run(["merchants", "list"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/the database is at version 0, this program needs \d+: run `admin migrate`/);
  });

  test("migrate says what it applied, and then nothing more", async () => {
    const { applied } = await result<{ applied: string[] }>("migrate", "--partitions", "8");
    expect(applied[0]).toBe("0001_installation.sql");
    expect(await result("migrate", "--partitions", "8")).toEqual({ applied: [] });
    expect(await query("SELECT partitions FROM installation")).toEqual([{ partitions: 8 }]);
  });

  test("migrate with another number of partitions ends with exit code 1 and says both", async () => {
    const { code, stderr } = await run(["migrate", "--partitions", "16"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/partitions: 16 was asked for, but this installation was made with 8/);
  });

  test("merchants create prints the keys, which are stored as hashes only", async () => {
    const flags = [
      "--name",
      "Café 'Zürich'",
      "--time-zone",
      "Europe/Zurich",
      "--currency",
      "CHF",
      "--retention-days",
      "90",
    ];
    const first = await result<CreatedMerchant>("merchants", "create", ...flags);
    const second = await result<CreatedMerchant>(
      "merchants",
      "create",
      "--name",
      "Plain",
      "--truncate-ip",
      "false",
    );
    expect(first).toMatchObject({
      merchantId: 1,
      name: "Café 'Zürich'",
      timeZone: "Europe/Zurich",
      currency: "CHF",
      retentionDays: 90,
    });
    expect(second).toMatchObject({ merchantId: 2, timeZone: "UTC", currency: "USD", retentionDays: 760 });
    const keys = [first, second].flatMap(({ writeKey, readKey }) => [writeKey, readKey]);
    expect(keys.map((key) => key.replace(/[\w-]{49}$/, ""))).toEqual(["ffw_", "ffr_", "ffw_", "ffr_"]);
    expect(new Set(keys).size).toBe(4);
    const rows = (await everything()).join("\n");
    for (const key of keys) {
      const secret = key.slice(4);
      expect(rows).not.toContain(secret);
      expect(rows).not.toContain(Buffer.from(key).toString("hex"));
      expect(rows).not.toContain(Buffer.from(secret, "base64url").toString("hex"));
      expect(rows).toContain(createHash("sha256").update(key).digest("hex"));
    }
    expect(await query("SELECT merchant_id, kind FROM api_keys ORDER BY 1, 2")).toEqual(
      [1, 2].flatMap((merchant_id) => ["read", "write"].map((kind) => ({ merchant_id, kind }))),
    );
  });

  test("storage show has every table, aggregates verify finds what differs, and repairs it when told to", async () => {
    await query(
      `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name)
       SELECT 1, '2026-03-01T10:00Z'::timestamptz + n * INTERVAL '1 minute', now(), gen_random_uuid(), n, n, 1, 'click'
       FROM generate_series(1, 30) n`,
    );
    const storage = await result<{ tables: object[]; chunks: object[]; chunkDays: number }>(
      "storage",
      "show",
    );
    expect(storage.tables).toContainEqual(expect.objectContaining({ table: "events", chunks: 1 }));
    expect(storage.chunks).toEqual([
      {
        table: "events",
        from: "2026-02-26T00:00:00.000Z",
        to: "2026-03-05T00:00:00.000Z",
        bytes: expect.any(Number),
        isConverted: false,
      },
    ]);
    expect(storage.chunkDays).toBe(7);
    // Rows without a note that their buckets are stale: the aggregate lacks them.
    const broken = await run([
      "aggregates",
      "verify",
      "--json",
      "--from",
      "2026-03-01",
      "--to",
      "2026-03-01",
    ]);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject({ days: 1, repaired: 0 });
    const bucket = (time: string) => ({ aggregate: "totals_15m", bucket: Date.parse(time), rows: 1 });
    const mismatches = ["10:00", "10:15", "10:30"].map((time) => bucket(`2026-03-01T${time}Z`));
    expect(await result("aggregates", "verify", "--repair")).toMatchObject({ mismatches, repaired: 3 });
    expect(await result("aggregates", "verify")).toMatchObject({ mismatches: [], repaired: 0 });
    expect(await query("SELECT sum(events)::integer AS n FROM totals_15m")).toEqual([{ n: 30 }]);
    await query("TRUNCATE events");
  });

  test("storage set-chunk-days is for new chunks of events and items, those that are there stay", async () => {
    const spans = () =>
      query(
        `SELECT hypertable_name AS name, (extract(epoch FROM range_end - range_start) / 86400)::integer AS days
         FROM timescaledb_information.chunks WHERE hypertable_name IN ('events', 'items') ORDER BY range_start, 1`,
      );
    const add = (time: string) =>
      query(
        `WITH e AS (
           INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name)
           VALUES (1, '${time}', now(), gen_random_uuid(), 1, 1, 1, 'click') RETURNING *
         )
         INSERT INTO items (merchant_id, ts, event_id, position, item_id, price_micros, quantity_micros)
         SELECT merchant_id, ts, event_id, 0, 'x', 1, 1 FROM e`,
      );
    await add("2026-03-01T10:00Z");
    expect(await result("storage", "set-chunk-days", "--days", "2")).toEqual({ chunkDays: 2 });
    await add("2026-06-01T10:00Z");
    expect(await spans()).toEqual(
      [7, 7, 2, 2].map((days, at) => ({ name: ["events", "items"][at % 2], days })),
    );
    expect(await result("storage", "show")).toMatchObject({ chunkDays: 2 });
    await query("TRUNCATE events, items");
  });

  test("merchants list shows all, without any key", async () => {
    const { stdout } = await run(["merchants", "list", "--json"]);
    expect(JSON.parse(stdout)).toEqual([
      {
        merchantId: 1,
        name: "Café 'Zürich'",
        timeZone: "Europe/Zurich",
        currency: "CHF",
        retentionDays: 90,
        truncateIp: true,
        ownDomains: [],
        ignoredReferrers: [],
        rollupsReadyFrom: null,
      },
      {
        merchantId: 2,
        name: "Plain",
        timeZone: "UTC",
        currency: "USD",
        retentionDays: 760,
        truncateIp: false,
        ownDomains: [],
        ignoredReferrers: [],
        rollupsReadyFrom: null,
      },
    ]);
    expect(stdout).not.toMatch(/ffw_|ffr_|sha256/);
  });
});

describe("streams", () => {
  test("show tells what is missing, apply makes it, and show tells what is there", async () => {
    const nats = await openTestNats();
    try {
      await run(["migrate", "--partitions", "8"]);
      const env = { DATABASE_URL: database.url, NATS_URL: nats.url, FOOTFALL_STREAM_MAX_AGE_HOURS: "24" };
      const streams = async (...args: string[]) => {
        const { code, stdout, stderr } = await run(["streams", ...args, "--json"], env);
        expect(stderr).toBe("");
        return { code, all: JSON.parse(stdout) as StreamOverview[] };
      };
      const names = [...Array.from({ length: 8 }, (_, at) => `EVENTS_${at}`), "DEAD_LETTER"];
      expect(await streams("show")).toEqual({
        code: 0,
        all: names.map((name) => ({ name, differences: [] })),
      });
      const made = await streams("apply");
      expect(made.all.map(({ applied }) => applied)).toEqual(names.map(() => "created"));
      const publisher = new BatchPublisher(await nats.connect(), 2_000);
      await publisher.publish(3, "a", Buffer.from("a"));
      const seen = await streams("show", "--stream-max-age-hours", "48");
      expect(seen.all[3]).toMatchObject({
        name: "EVENTS_3",
        state: { messages: 1, firstSeq: 1, lastSeq: 1, lastTime: expect.stringMatching(/Z$/) },
        differences: [{ setting: "max_age", is: "24 h", promised: "48 h" }],
      });
      // Shorter would drop what no aggregator has seen.
      const applied = await streams("apply", "--stream-max-age-hours", "12");
      expect(applied.code).toBe(1);
      expect(applied.all[3]!.applied).toMatch(/^not changed/);
      expect(applied.all[4]!.applied).toBe("updated");
      const { stdout } = await run(["streams", "show"], env);
      expect(stdout).toMatch(/│ EVENTS_3 {4}│ +1 │/);
      expect(stdout).toMatch(/│ EVENTS_4 {4}│ +0 │.*│ max_age: 12 h, promised 24 h │/);
    } finally {
      await nats.close();
    }
  });
});
