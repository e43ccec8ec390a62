import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEmptyDatabase, openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { RunReportRequestSchema } from "../../gen/footfall/query/v1/report_pb.js";
import { readReport } from "../../query/rpc/read-report.ts";
import { answerQuestion } from "../../query/run/answer-question.ts";
import { METRICS } from "../../query/schema/metrics.ts";
import { schemaOf } from "../../query/schema/schema.ts";
import { keySha256 } from "../api-keys.ts";
import { addGoal, removeGoal, updateGoal } from "../goals.ts";
import { createMerchant, findMerchantByKey } from "../merchants.ts";
import { migrate, readInstallation } from "../migrate.ts";
import { createPool, type Pool } from "../pool.ts";
import { OWNER, TABLES, USERS } from "./rights.ts";

let database: TestDatabase;
const pools = new Map<string, Pool>();

beforeAll(async () => {
  database = await openTestDatabase(4);
  for (const role of [OWNER, ...USERS]) pools.set(role, poolAs(role));
});

afterAll(async () => {
  await Promise.all([...pools.values()].map((pool) => pool.end()));
  await database?.close();
});

/** Connections that have a role's rights alone. */
function poolAs(role: string, { url } = database): Pool {
  const address = new URL(url);
  address.searchParams.set("options", `-c role=${role}`);
  return createPool({ url: address.href, name: "roles", maxConnections: 2, statementTimeoutMs: 20_000 });
}

const as = (role: string) => pools.get(role)!;

/** Columns that an UPDATE may name: none that is generated. */
async function firstColumn(table: string): Promise<string> {
  const { rows } = await database.pool.query(
    `SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' LIMIT 1`,
    [table],
  );
  return rows[0]!.attname;
}

test("every table is in the list, and belongs to the owner", async () => {
  const { rows } = await database.pool.query<{ name: string; owner: string }>(
    `SELECT relname AS name, relowner::regrole::text AS owner FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')`,
  );
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(TABLES).sort());
  expect(new Set(rows.map(({ owner }) => owner))).toEqual(new Set([OWNER]));
});

test("the reader writes nothing but goals, and nobody but the owner sees key hashes", async () => {
  for (const table of Object.keys(TABLES).filter((name) => name !== "goals")) {
    const column = await firstColumn(table);
    for (const sql of [
      `DELETE FROM ${table}`,
      `UPDATE ${table} SET ${column} = ${column}`,
      `INSERT INTO ${table} DEFAULT VALUES`,
      `TRUNCATE ${table}`,
    ]) {
      await expect(as("footfall_reader").query(sql), sql).rejects.toThrow(
        /denied|must be owner|cannot|DISTINCT/,
      );
    }
  }
  for (const role of USERS) {
    await expect(as(role).query("SELECT FROM api_keys")).rejects.toMatchObject({ code: "42501" });
    await expect(as(role).query("SELECT key_sha256 FROM api_keys")).rejects.toMatchObject({ code: "42501" });
    await expect(as(role).query("CREATE TABLE mine (a integer)")).rejects.toMatchObject({ code: "42501" });
  }
  for (const table of ["visitor_salts", "erasures", "event_keys", "batch_ledger"]) {
    await expect(as("footfall_reader").query(`SELECT FROM ${table}`)).rejects.toMatchObject({
      code: "42501",
    });
  }
});

test("the reader and ingest tell a key's merchant; the others may not ask", async () => {
  const given = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 365 };
  const { merchantId, readKey, writeKey } = await createMerchant(database.pool, given);
  expect(await findMerchantByKey(as("footfall_reader"), "read", keySha256(readKey))).toMatchObject({
    merchantId,
  });
  expect(await findMerchantByKey(as("footfall_ingest"), "write", keySha256(writeKey))).toMatchObject({
    merchantId,
  });
  expect(await findMerchantByKey(as("footfall_reader"), "read", keySha256(writeKey))).toBeUndefined();
  for (const role of ["footfall_writer", "footfall_archiver"]) {
    const asked = findMerchantByKey(as(role), "read", keySha256(readKey));
    await expect(asked).rejects.toMatchObject({ code: "42501" });
  }
});

test("the reader makes, changes and removes goals", async () => {
  const pool = as("footfall_reader");
  const shop = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 30 };
  const { merchantId } = await createMerchant(database.pool, shop);
  const goal = { name: "Goal", eventName: "x", pagePattern: undefined, valueMicros: undefined };
  expect(await addGoal(pool, merchantId, goal)).toMatchObject({ goalId: 1 });
  expect(await updateGoal(pool, merchantId, 1, (now) => ({ ...now, name: "Other" }))).toMatchObject({
    name: "Other",
  });
  expect(await removeGoal(pool, merchantId, 1)).toMatchObject({ name: "Other" });
});

test("each role may start its program; the reader reads reports", async () => {
  for (const role of USERS) expect(await readInstallation(as(role))).toEqual({ partitions: 4 });
  const request = create(RunReportRequestSchema, {
    period: { span: { case: "dates", value: { startDate: "2026-01-01", endDate: "2026-01-02" } } },
    dimensions: ["time", "channel"],
  });
  const merchant = { merchantId: 1, partitionId: 1, timeZone: "UTC", currency: "EUR" };
  const schema = schemaOf({ goals: [], properties: [] });
  // All that are counted from rows, items, sessions and visitors.
  for (let at = 0; at < METRICS.length; at += 20) {
    const metrics = METRICS.slice(at, at + 20).map(({ name }) => name);
    const { question } = readReport({ ...request, metrics }, merchant, schema, Date.now());
    const answer = await answerQuestion(as("footfall_reader"), question, { statementTimeoutMs: 20_000 });
    expect(answer.totals.rows).toBe(1);
  }
});

describe("migrate", () => {
  test("by a user that may make no roles: says what a superuser is to run", async () => {
    const empty = await openEmptyDatabase();
    try {
      await empty.pool.query("CREATE ROLE plain LOGIN");
      const plain = poolAs("plain", empty);
      const failure = migrate(plain, 4);
      await expect(failure).rejects.toThrow("CREATE ROLE footfall_owner NOLOGIN;");
      await expect(failure).rejects.toThrow("GRANT footfall_owner TO plain;");
      await plain.end();
    } finally {
      await empty.close();
    }
  });

  test("in a second database of a cluster, or again, finds the roles as they are", async () => {
    expect(await migrate(database.pool, 4)).toEqual([]);
    await database.pool.query("ALTER TABLE goals OWNER TO CURRENT_USER");
    await migrate(database.pool, 4);
    const { rows } = await database.pool.query("SELECT tableowner FROM pg_tables WHERE tablename = 'goals'");
    expect(rows).toEqual([{ tableowner: OWNER }]);
  });
});
