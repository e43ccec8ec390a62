import sql, { join, type Sql } from "sql-template-tag";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEmptyDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import type { Goal } from "../../store/goals.ts";
import type { AdditiveMetric, DistinctMetric, QuantileMetric, RowContext } from "./field.ts";
import { nearestNames } from "./nearest.ts";
import { schemaOf } from "./schema.ts";

const goal = (goalId: number, name: string, fields: Partial<Goal>): Goal => ({
  goalId,
  name,
  eventName: undefined,
  pagePattern: undefined,
  valueMicros: undefined,
  createdTime: 0,
  ...fields,
});

const schema = schemaOf({
  goals: [
    goal(1, "Signed up '; --", { eventName: "sign_up", valueMicros: 2_500_000n }),
    goal(3, "Blog", { pagePattern: "/blog/*" }),
  ],
  properties: [
    { name: "plan", isNumeric: false },
    { name: "weight", isNumeric: true },
  ],
});

const ROWS = [
  {
    name: "sign_up",
    page: "/blog/a",
    visitor: 1,
    revenue: 7_000_000,
    properties: { plan: "pro", weight: 1.5 },
  },
  {
    name: "view",
    page: "/blog/a/b",
    visitor: 2,
    revenue: null,
    properties: { plan: "", weight: "9", on: true },
  },
  { name: "view", page: "/blog/b", visitor: 2, revenue: 3_000_000, properties: { weight: 4 } },
  { name: "sign_up", page: null, visitor: 1, revenue: null, properties: null },
];

let database: TestDatabase;
beforeAll(async () => {
  database = await openEmptyDatabase();
});
afterAll(() => database?.close());

async function select(columns: Sql[]): Promise<unknown[][]> {
  const from = sql`FROM (SELECT r ->> 'name' AS name, r ->> 'page' AS page, (r ->> 'visitor')::bigint AS visitor_id,
    (r ->> 'revenue')::bigint AS revenue_micros, r -> 'properties' AS properties
    FROM jsonb_array_elements(${JSON.stringify(ROWS)}::jsonb) r) rows`;
  const { text, values } = sql`SELECT ${join(columns)} ${from}`;
  return (await database.pool.query({ text, values, rowMode: "array" })).rows;
}

const AT: RowContext = { time: sql`now()`, timeZone: "UTC", spanStart: sql`now()` };
const dimension = (name: string) => schema.dimension(name)!.sql(AT);
const rowsOf = (name: string) => (schema.metric(name) as AdditiveMetric).rows;

test("properties are dimensions, texts of any type, and numbers of them are metrics", async () => {
  expect(
    await select(["plan", "weight", "on", "x'; --"].map((name) => dimension(`property:${name}`))),
  ).toEqual([
    ["pro", "1.5", null, null],
    [null, "9", "true", null],
    [null, "4", null, null],
    [null, null, null, null],
  ]);
  const { value } = schema.metric("property:weight:p90") as QuantileMetric;
  expect((await select([value])).flat()).toEqual([1.5, null, 4, null]);
  expect(await select([rowsOf("property:weight:sum"), rowsOf("property:weight:count")])).toEqual([
    [5.5, "2"],
  ]);
  expect(schema.metric("property:a:b:max")).toMatchObject({ kind: "quantile", quantile: 1 });
});

test("goals are a dimension of many values, and metrics", async () => {
  expect(schema.dimension("goal")!.isMany).toBe(true);
  expect((await select([dimension("goal")])).flat()).toEqual([
    ["Signed up '; --", "Blog"],
    [],
    ["Blog"],
    ["Signed up '; --"],
  ]);
  const where = (schema.metric("goal:3:visitors") as DistinctMetric).where!.sql(AT);
  expect((await select([where])).flat()).toEqual([true, false, true, false]);
  const names = ["goal:1:conversions", "goal:3:conversions", "goal:1:value", "goal:3:value"];
  expect(await select(names.map(rowsOf))).toEqual([["2", "2", "5000000", "10000000"]]);
  expect(schema.metric("goal:3:conversion_rate")).toMatchObject({
    numerator: { name: "goal:3:visitors" },
    denominator: { name: "visitors" },
  });
});

test("names that there are not give nothing; what is listed is found by its name", () => {
  for (const name of [
    "",
    "Visitors",
    "goal:2:value",
    "property:",
    "property:plan",
    "property::sum",
    "property:a\0:sum",
  ]) {
    expect(schema.metric(name), name).toBeUndefined();
  }
  for (const name of ["", "visitors", "property:", `property:${"x".repeat(257)}`, "goal:1"]) {
    expect(schema.dimension(name), name).toBeUndefined();
  }
  for (const { name } of schema.metrics) expect(schema.metric(name)?.name).toBe(name);
  for (const { name } of schema.dimensions) expect(schema.dimension(name)?.name).toBe(name);
  expect(schema.metrics.map(({ name }) => name)).toContain("property:weight:average");
  expect(schema.metrics.map(({ name }) => name)).not.toContain("property:plan:sum");
});

test("a mistyped name is told what it may have meant", () => {
  const names = schema.metrics.map(({ name }) => name);
  expect(nearestNames("visitor", names)[0]).toBe("visitors");
  expect(nearestNames("pageviews", names)).toEqual(["page_views"]);
  expect(nearestNames("x".repeat(100_000), names)).toEqual([]);
});
