import { expect, test } from "vitest";
import type { Pool } from "../pool.ts";
import { type ReportQuery, readReport } from "./read-report.ts";

type Answer = (sql: string) => unknown[][];

/** A pool that writes down what it is asked, and answers with the given rows. */
function recording(answer: Answer): { pool: Pool; asked: { sql: string; values: unknown[] }[] } {
  const asked: { sql: string; values: unknown[] }[] = [];
  const client = {
    on() {},
    off() {},
    release() {},
    async query(query: string | { text: string; values: unknown[] }) {
      const { text, values } = typeof query === "string" ? { text: query, values: [] } : query;
      asked.push({ sql: text, values });
      return { rows: answer(text) };
    },
  };
  return { pool: { connect: async () => client } as unknown as Pool, asked };
}

const query: ReportQuery = {
  merchantId: 7,
  partitionId: 3,
  edges: [0, 900_000, 1_800_000],
  statements: [
    {
      shape: "additive",
      source: "totals_15m",
      columns: [{ name: "a", events: "count(*)", totals15m: "events" }],
    },
    { shape: "distinct", source: "events", columns: [{ name: "d", key: "visitor_id" }] },
  ],
  statementTimeoutMs: 1_234,
};

const answer: Answer = (sql) => {
  if (sql.includes("totals_15m")) return [[2, 2n ** 62n]];
  if (sql.includes("DISTINCT"))
    return [
      [null, 3n],
      [1, 2n],
      [2, 2n],
    ];
  return sql.includes("committed_through") ? [[1_700_000_000_123n]] : [];
};

test("all statements run in one snapshot, under the timeout, for the merchant", async () => {
  const { pool, asked } = recording(answer);
  const data = await readReport(pool, query);
  expect(data.dataThrough).toBe(1_700_000_000_123);
  expect(data.columns.get("a")).toEqual({ values: [0n, 2n ** 62n], total: 2n ** 62n, standardError: 0 });
  expect(data.columns.get("d")).toEqual({ values: [2n, 2n], total: 3n, standardError: 0 });
  const edges = ["1970-01-01T00:00:00.000Z", "1970-01-01T00:15:00.000Z", "1970-01-01T00:30:00.000Z"];
  expect(asked.map(({ sql, values }) => (values.length > 0 ? values : sql))).toEqual([
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL statement_timeout = 1234",
    "SET LOCAL work_mem = '32MB'",
    [7, edges[0], edges[2], edges, 3],
    [7, edges[0], edges[2], edges],
    [3],
    "COMMIT",
  ]);
});

test("a total beyond 64 bits is a total like any other", async () => {
  const { pool, asked } = recording((sql) =>
    sql.includes("totals_15m")
      ? [
          [1, 2n ** 62n],
          [2, 2n ** 62n],
        ]
      : [],
  );
  const { columns } = await readReport(pool, query);
  expect([...columns.values()].map(({ total }) => total)).toContain(2n ** 63n);
  expect(asked.at(-1)?.sql).toBe("COMMIT");
});

test.each([
  { merchantId: 0 },
  { merchantId: -1 },
  { merchantId: Number.NaN },
  { edges: [0] },
  { statementTimeoutMs: 0 },
  { statementTimeoutMs: 1.5 },
])("%o is refused before anything is asked", async (wrong) => {
  const { pool, asked } = recording(answer);
  await expect(readReport(pool, { ...query, ...wrong })).rejects.toThrow(TypeError);
  expect(asked).toEqual([]);
});
