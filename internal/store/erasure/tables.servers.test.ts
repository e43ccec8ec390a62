import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { CONTINUOUS_AGGREGATES } from "../continuous-aggregates.ts";
import {
  CONVERTED_TABLES,
  EVENT_TABLES,
  KEPT_OF_MERCHANT,
  MERCHANT_TABLES,
  PERSON_TABLES,
  VISITOR_TABLES,
} from "./tables.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());

async function names(sql: string, values: unknown[] = []): Promise<string[]> {
  return (await database.pool.query<{ name: string }>(sql, values)).rows.map(({ name }) => name).sort();
}

const tablesWith = (column: string) =>
  names(
    `SELECT c.relname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = $1 AND NOT a.attisdropped`,
    [column],
  );

// Whoever adds such a table or aggregate decides in tables.ts what an erasure does with it.
test("every table with a merchant_id is erased with its merchant, or is kept for a reason", async () => {
  const decided = [...EVENT_TABLES, ...MERCHANT_TABLES, ...Object.keys(KEPT_OF_MERCHANT)];
  expect(await tablesWith("merchant_id")).toEqual([...decided].sort());
});

test("every table with a visitor_id, a user_id or a customer's id is erased with the person", async () => {
  expect(await tablesWith("visitor_id")).toEqual([...VISITOR_TABLES].sort());
  expect(await tablesWith("user_id")).toEqual(PERSON_TABLES);
  expect(await tablesWith("order_customer_id")).toEqual(PERSON_TABLES);
});

test("every continuous aggregate is known, and tells merchants apart", async () => {
  const views = "SELECT view_name AS name FROM timescaledb_information.continuous_aggregates";
  expect(await names(views)).toEqual([...CONTINUOUS_AGGREGATES].sort());
  const told = `SELECT table_name AS name FROM information_schema.columns
    WHERE column_name = 'merchant_id' AND table_name = ANY ($1)`;
  expect(await names(told, [CONTINUOUS_AGGREGATES])).toEqual([...CONTINUOUS_AGGREGATES].sort());
});

test("the tables in the columnstore are known, of which not all can be removed block by block", async () => {
  const converted =
    "SELECT DISTINCT hypertable_name AS name FROM timescaledb_information.hypertables WHERE compression_enabled";
  expect(await names(converted)).toEqual([...EVENT_TABLES, ...Object.keys(CONVERTED_TABLES)].sort());
});
