import fc from "fast-check";
import { RE2JS } from "re2js";
import sql, { empty } from "sql-template-tag";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import type { Filter, Test } from "../question/filter.ts";
import { DIMENSIONS } from "../schema/dimensions.ts";
import type { FilterContext } from "./context.ts";
import { filterSql } from "./filter.ts";
import { whoSql } from "./persons.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(4);
});
afterAll(() => database?.close());

interface Row {
  readonly at: number;
  readonly visitor: number;
  readonly session: number;
  readonly isBot: boolean;
  readonly page: string | null;
  readonly country: string | null;
  readonly brands: readonly (string | null)[];
}

const TEXTS = [
  "",
  "a",
  "A",
  "/",
  "/a",
  "/a/b",
  "/A/b/c",
  "50%_",
  "back\\slash",
  "it's",
  '"q"',
  "'; DROP TABLE events; --",
  "É",
  "é",
  "日本",
  "😀",
  "a\nb",
  "*",
  "$1",
  "x*y",
];
const text = fc.option(fc.constantFrom(...TEXTS), { freq: 6 });
const HOUR = 3_600_000;
const START = Date.parse("2026-03-10T00:00:00Z");
const END = START + 24 * HOUR;

const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record({
    // Some before and behind the span.
    at: fc.integer({ min: -30, max: 54 }).map((hours) => START + hours * HOUR),
    visitor: fc.integer({ min: 1, max: 4 }),
    session: fc.integer({ min: 1, max: 6 }),
    isBot: fc.boolean(),
    page: text,
    country: text,
    brands: fc.array(text, { maxLength: 2 }),
  }),
  { minLength: 5, maxLength: 25 },
);

const dimension = (name: string) => DIMENSIONS.find((one) => one.name === name)!;
const valueTest: fc.Arbitrary<Test> = fc.oneof(
  fc.record({
    kind: fc.constant("text" as const),
    match: fc.constantFrom("exact", "prefix", "suffix", "contains", "wildcard", "regex"),
    value: fc.constantFrom(
      ...TEXTS.filter((one) => one !== ""),
      "/*",
      "/**",
      "/*/*",
      "/**/c",
      "*",
      "**",
      "%",
      "_",
    ),
    ignoreCase: fc.boolean(),
  }) as fc.Arbitrary<Test>,
  fc.record({ kind: fc.constant("in" as const), values: fc.subarray(TEXTS) }),
  fc.record({ kind: fc.constant("empty" as const), isEmpty: fc.boolean() }),
);
const textTests = fc.record({
  kind: fc.constant("test" as const),
  field: fc.constantFrom(dimension("page"), dimension("country"), dimension("item_brand")),
  test: valueTest,
});
const hourTests = fc.record({
  kind: fc.constant("test" as const),
  field: fc.constant(dimension("hour")),
  test: fc.record({
    kind: fc.constant("number" as const),
    min: fc.nat(23),
    max: fc.option(fc.nat(23), { nil: undefined }),
  }),
});
const tests: fc.Arbitrary<Filter> = fc.oneof(
  { weight: 4, arbitrary: textTests },
  { weight: 1, arbitrary: hourTests },
);

function trees(leaf: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> {
  return fc.letrec<{ tree: Filter }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.record({
        kind: fc.constantFrom("all" as const, "any" as const),
        of: fc.array(tie("tree"), { maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant("not" as const), of: tie("tree") }),
    ),
  })).tree;
}

const behaviors: fc.Arbitrary<Filter> = fc.record({
  kind: fc.constant("behavior" as const),
  subject: fc.constantFrom("session" as const, "visitor" as const),
  event: trees(tests),
  atLeast: fc.nat(2),
  atMost: fc.option(fc.nat(2), { nil: undefined }),
});
const filters = trees(fc.oneof({ weight: 3, arbitrary: tests }, { weight: 1, arbitrary: behaviors }));

/** Plainly, one row at a time. */
function passes(filter: Filter, row: Row, all: readonly Row[]): boolean {
  switch (filter.kind) {
    case "all":
      return filter.of.every((part) => passes(part, row, all));
    case "any":
      return filter.of.some((part) => passes(part, row, all));
    case "not":
      return !passes(filter.of, row, all);
    case "test":
      return valuesOf(filter.field.name, row).some((value) => holds(value, filter.test));
    case "behavior": {
      const isSession = filter.subject === "session";
      const beside = isSession ? 24 * HOUR : 0;
      const count = all.filter(
        (one) =>
          !one.isBot &&
          one.at >= START - beside &&
          one.at < END + beside &&
          (isSession ? one.session === row.session : one.visitor === row.visitor) &&
          passes(filter.event, one, all),
      ).length;
      return count >= filter.atLeast && count <= (filter.atMost ?? Number.POSITIVE_INFINITY);
    }
  }
}

function valuesOf(name: string, row: Row): readonly (string | number | null)[] {
  if (name === "page") return [row.page];
  if (name === "country") return [row.country];
  if (name === "hour") return [new Date(row.at).getUTCHours()];
  return row.brands;
}

function holds(value: string | number | null, test: Test): boolean {
  const isAbsent = value === null || value === "";
  if (test.kind === "empty") return isAbsent === test.isEmpty;
  if (isAbsent) return false;
  if (test.kind === "in") return test.values.includes(String(value));
  if (test.kind === "number")
    return Number(value) >= test.min! && Number(value) < (test.max ?? Number.POSITIVE_INFINITY);
  const quoted = RE2JS.quote(test.value);
  const pattern = {
    exact: `\\A(?:${quoted})\\z`,
    prefix: `\\A${quoted}`,
    suffix: `${quoted}\\z`,
    contains: quoted,
    regex: test.value,
    wildcard: `(?s)\\A${test.value
      .split(/(\*+)/)
      .map((part) => (part === "*" ? "[^/]*" : part.startsWith("*") ? ".*" : RE2JS.quote(part)))
      .join("")}\\z`,
  }[test.match];
  return RE2JS.compile(pattern, test.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0).test(String(value));
}

const context: FilterContext = {
  merchantId: 1,
  traffic: sql`NOT is_bot`,
  time: sql`ts`,
  timeZone: "UTC",
  spanStart: sql`${new Date(START).toISOString()}::timestamptz`,
  spanEnd: sql`${new Date(END).toISOString()}::timestamptz`,
  isItem: false,
  wholes: () => empty,
  who: whoSql({ identity: "visitor" }, 0),
};

async function store(all: readonly Row[]): Promise<void> {
  const { pool } = database;
  await pool.query("TRUNCATE events, items");
  // Another merchant's: the same, and all of it in the way.
  for (const merchantId of [1, 2]) {
    await pool.query(
      `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, page, country, is_bot)
       SELECT $1, to_timestamp((r->>'at')::float8 / 1000), now(), lpad(to_hex(at), 32, '0')::uuid, (r->>'visitor')::bigint,
         (r->>'session')::bigint, 1, 'page_view', r->>'page', r->>'country', (r->>'isBot')::boolean
       FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS x (r, at)`,
      [merchantId, JSON.stringify(merchantId === 1 ? all : all.slice(0, 1))],
    );
  }
  await pool.query(
    `INSERT INTO items (merchant_id, ts, event_id, position, item_id, brand, price_micros)
     SELECT 1, to_timestamp((r->>'at')::float8 / 1000), lpad(to_hex(at), 32, '0')::uuid, place, 'i', brand, 1
     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS x (r, at),
       jsonb_array_elements_text(r->'brands') WITH ORDINALITY AS b (brand, place)`,
    [JSON.stringify(all)],
  );
}

test("lets through what a plain evaluation lets through", async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.array(filters, { minLength: 12, maxLength: 12 }), async (all, several) => {
      await store(all);
      for (const filter of several) {
        if (!isTranslatable(filter)) continue;
        const { rows: found } = await database.pool.query<{ number: number }>(
          sql`SELECT ('x' || right(event_id::text, 8))::bit(32)::int AS number FROM events
            WHERE merchant_id = 1 AND NOT is_bot AND ts >= ${context.spanStart} AND ts < ${context.spanEnd}
              AND ${filterSql(filter, context)} ORDER BY number`,
        );
        const right = all.flatMap((row, at) =>
          !row.isBot && row.at >= START && row.at < END && passes(filter, row, all) ? [at + 1] : [],
        );
        expect(found.map(({ number }) => number)).toEqual(right);
      }
    }),
    { numRuns: 30 },
  );
}, 180_000);

function isTranslatable(filter: Filter): boolean {
  try {
    filterSql(filter, context);
    return true;
  } catch {
    return false;
  }
}

test.each(["exact", "prefix", "suffix", "contains", "wildcard", "regex"] as const)(
  "the value of %s is a parameter",
  (match) => {
    const value = "'x'; DROP TABLE events; --";
    for (const ignoreCase of [false, true]) {
      const one: Test = { kind: "text", match, value, ignoreCase };
      const filter: Filter = { kind: "test", field: dimension("page"), test: one };
      expect(filterSql(filter, context).text).not.toContain("DROP");
    }
  },
);
