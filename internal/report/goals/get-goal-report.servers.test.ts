import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase, testPool } from "../../../test/kit/database.ts";
import { partitionOf } from "../../event/partition.ts";
import { addGoal, type Goal, type NewGoal, removeGoal } from "../../store/goals.ts";
import type { Merchant } from "../get-report.ts";
import { PARTITIONS } from "../testing/fixture.ts";
import { type GoalReport, type GoalReportRequest, getGoalReport } from "./get-goal-report.ts";
import { insertVisits, randomVisits, type Visit } from "./testing/fixture.ts";

/** Two merchants with the same visitors, pages and times. */
const [A, B] = [1, 2];
const START = "2025-03-28T00:00Z";
const ROWS = [...randomVisits(1, A, START, 5, 1_500), ...randomVisits(2, B, START, 5, 1_500)];

/** A goal, and which rows reach it, in plain code. */
interface Case extends Partial<NewGoal> {
  readonly reaches: (row: Visit) => boolean;
}
const CASES: Readonly<Record<string, Case>> = {
  Bought: { eventName: "purchase", reaches: ({ name }) => name === "purchase" },
  "Any event on a thank-you page": {
    pagePattern: "/checkout/*/thanks",
    reaches: ({ page }) => page === "/checkout/1/thanks" || page === "/checkout/two/thanks",
  },
  "Blog read": {
    eventName: "page_view",
    pagePattern: "/blog/**",
    valueMicros: 250_000n,
    reaches: ({ name, page }) => name === "page_view" && page?.startsWith("/blog/") === true,
  },
  "Front page": { pagePattern: "/", valueMicros: 0n, reaches: ({ page }) => page === "/" },
  "Leaf of the blog": {
    pagePattern: "/blog/**/*.html",
    reaches: ({ page }) => page === "/blog/2025/03/a.html" || page === "/blog/x/b.html",
  },
  "Never reached": { eventName: "no such event", valueMicros: 1n, reaches: () => false },
  "All with a page": { pagePattern: "**", reaches: ({ page }) => page !== undefined },
};

let database: TestDatabase;
const goals: Goal[] = [];
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await database.pool.query(
    `INSERT INTO merchants (name, time_zone, currency, retention_days)
     SELECT 'Shop', 'UTC', 'EUR', 7300 FROM generate_series(1, 2)`,
  );
  await insertVisits(database.pool, ROWS);
  // Every goal is younger than the rows that it counts.
  for (const [name, { eventName, pagePattern, valueMicros }] of Object.entries(CASES)) {
    goals.push(await addGoal(database.pool, A, { name, eventName, pagePattern, valueMicros }));
  }
  const theirs = { name: "Theirs", eventName: "page_view", pagePattern: undefined, valueMicros: 7n };
  for (let i = 0; i < goals.length; i++) {
    await addGoal(database.pool, B, { ...theirs, name: `Theirs ${i}` });
  }
});
afterAll(() => database?.close());

const merchant = (merchantId: number): Merchant => ({ merchantId, timeZone: "UTC", currency: "EUR" });
const dates = (start: string, end = start) => ({ kind: "dates", start, end }) as const;
const ask = (request: Partial<GoalReportRequest> = {}, merchantId = A): Promise<GoalReport> =>
  getGoalReport(
    { pool: database.pool, partitions: PARTITIONS, statementTimeoutMs: 30_000 },
    merchant(merchantId),
    { range: dates("2025-03-28", "2025-04-01"), ...request },
  );

const different = (rows: readonly Visit[]) => BigInt(new Set(rows.map(({ visitor }) => visitor)).size);

/** What an answer must say of rows, counted one by one. */
function expected(goal: Goal, rows: readonly Visit[], edges: readonly number[]) {
  const over = (count: (rows: readonly Visit[]) => bigint) => ({
    values: edges.slice(1).map((end, at) => count(rows.filter(({ ts }) => ts >= edges[at]! && ts < end))),
    total: count(rows),
  });
  const { valueMicros: each } = goal;
  const revenue = (some: readonly Visit[]) => some.reduce((sum, row) => sum + (row.revenue ?? 0n), 0n);
  const unconverted = rows.filter(
    ({ orderId, orderKind, revenue: micros }) => orderId !== null && orderKind !== 2 && micros === null,
  );
  return {
    goal,
    conversions: over((some) => BigInt(some.length)),
    visitors: over(different),
    valueMicros: over((some) => (each === undefined ? revenue(some) : BigInt(some.length) * each)),
    unconvertedOrders: each === undefined ? BigInt(unconverted.length) : 0n,
  };
}

/** Compares an answer with the rows of A. */
function expectCounts(answer: GoalReport, includeBots = false): void {
  const [start, end] = [answer.edges[0]!, answer.edges.at(-1)!];
  const own = ROWS.filter(
    ({ merchantId, ts, isBot }) => merchantId === A && ts >= start && ts < end && (includeBots || !isBot),
  );
  expect(answer.results).toEqual(
    goals.map((goal) => expected(goal, own.filter(CASES[goal.name]!.reaches), answer.edges)),
  );
  expect(answer.visitors.total).toBe(different(own));
  expect(answer.visitors.values).toEqual(
    answer.edges
      .slice(1)
      .map((to, at) => different(own.filter(({ ts }) => ts >= answer.edges[at]! && ts < to))),
  );
}

test("goals that were made after the events, by day: as counted row by row", async () => {
  const answer = await ask();
  expectCounts(answer);
  expect(answer).toMatchObject({ merchantId: A, timeZone: "UTC", granularity: "day", currency: "EUR" });
  expect(answer.edges).toHaveLength(6);
  for (const { goal, conversions, visitors } of answer.results) {
    if (goal.name === "Never reached") expect(conversions.total).toBe(0n);
    else {
      expect(visitors.total).toBeGreaterThan(5n);
      expect(conversions.total).toBeGreaterThan(visitors.total);
    }
  }
  const bought = answer.results.find(({ goal }) => goal.name === "Bought")!;
  expect(bought.unconvertedOrders).toBeGreaterThan(5n);
});

test("with bots, by hours of another time zone, and off the quarter hours", async () => {
  expectCounts(await ask({ includeBots: true }), true);
  const day = dates("2025-03-30");
  expectCounts(
    await ask({ range: day, timeZone: "Europe/Berlin", granularity: "hour", includeBots: true }),
    true,
  );
  const ns = (iso: string) => Temporal.Instant.from(iso).epochNanoseconds;
  const range = { kind: "times", startNs: ns("2025-03-29T10:07Z"), endNs: ns("2025-03-29T12:41Z") } as const;
  const minutes = await ask({ range, granularity: "minute" });
  expectCounts(minutes);
  expect(minutes.edges).toHaveLength(155);
});

test("plain SQL over the rows agrees", async () => {
  const { results } = await ask();
  const { rows } = await database.pool.query<{ n: string; visitors: string; revenue: string }>(
    `SELECT count(*) AS n, count(DISTINCT visitor_id) AS visitors, sum(revenue_micros) AS revenue FROM events
     WHERE merchant_id = 1 AND is_bot IS FALSE AND split_part(url, '/', 4) = 'checkout'
       AND split_part(url, '/', 6) IN ('thanks', 'thanks?x=', 'thanks#')`,
  );
  const { conversions, visitors, valueMicros } = results[1]!;
  expect(rows).toEqual([
    { n: String(conversions.total), visitors: String(visitors.total), revenue: String(valueMicros.total) },
  ]);
});

test("only the goals asked for, in the order asked for", async () => {
  const all = await ask();
  const some = await ask({ goalIds: [3, 1] });
  expect(some.results).toEqual([all.results[2], all.results[0]]);
  expect(some.visitors).toEqual(all.visitors);
});

test("a merchant sees neither another's goals nor their conversions", async () => {
  const theirs = await ask({}, B);
  const views = ROWS.filter(
    ({ merchantId, name, isBot }) => merchantId === B && name === "page_view" && !isBot,
  );
  expect(theirs.results.map(({ goal, conversions }) => [goal.name, conversions.total])).toEqual(
    goals.map((_, at) => [`Theirs ${at}`, BigInt(views.length)]),
  );
  // An id that is A's alone is to B like one that nobody has.
  const mine = await addGoal(database.pool, A, {
    name: "Mine alone",
    eventName: "purchase",
    pagePattern: undefined,
    valueMicros: undefined,
  });
  for (const id of [mine.goalId, 4_000_000_000]) {
    await expect(ask({ goalIds: [1, id] }, B)).rejects.toThrow(`goal_ids "${id}" is no goal of the merchant`);
  }
  await removeGoal(database.pool, A, mine.goalId);
  await expect(ask({ goalIds: [mine.goalId] })).rejects.toMatchObject({ field: "goal_ids" });
});

test("a merchant without goals is told its visitors, one without events nothing", async () => {
  const [C, none] = [3, 4];
  await insertVisits(database.pool, randomVisits(3, C, START, 1, 50));
  const answer = await ask({ includeBots: true }, C);
  expect(answer.results).toEqual([]);
  expect(answer.visitors.total).toBeGreaterThan(1n);
  expect((await ask({}, none)).visitors).toEqual({ values: [0n, 0n, 0n, 0n, 0n], total: 0n });
});

test("a database that is away is told as such", async () => {
  const request = { range: dates("2025-03-28") };
  const away = testPool("postgres://footfall@127.0.0.1:1/footfall", 1);
  const deps = { pool: away, partitions: PARTITIONS, statementTimeoutMs: 30_000 };
  await expect(getGoalReport(deps, merchant(A), request)).rejects.toMatchObject({ kind: "unavailable" });
  await away.end();
});

test("data_through is the partition's", async () => {
  expect((await ask()).dataThrough).toBeUndefined();
  await database.pool.query("UPDATE partitions SET committed_through = $2 WHERE partition_id = $1", [
    partitionOf(A, PARTITIONS),
    "2025-03-30T10:00:00.1239Z",
  ]);
  expect((await ask()).dataThrough).toBe(Date.parse("2025-03-30T10:00:00.123Z"));
});

test("50 goals, each with a pattern of its own, in one answer", async () => {
  const D = 5;
  await database.pool.query(
    "INSERT INTO merchants (name, time_zone, currency, retention_days) SELECT 'D', 'UTC', 'EUR', 30 FROM generate_series(3, 5)",
  );
  const pages = Array.from({ length: 50 }, (_, at) => `/a/${at}/b/${at}.html`);
  const rows = pages.flatMap((page, at): Visit[] =>
    Array.from({ length: at + 1 }, (_, visitor) => {
      const url = `https://shop.example${page}`;
      return { ...ROWS[0]!, merchantId: D, name: "x", page, url, visitor, isBot: false };
    }),
  );
  await insertVisits(database.pool, rows);
  for (let at = 0; at < 50; at++) {
    const rest = { name: `Goal ${at}`, eventName: undefined, valueMicros: 2n };
    await addGoal(database.pool, D, { ...rest, pagePattern: `/**/${at}/*/${at}.*` });
  }
  const answer = await ask({ range: dates("2025-03-28", "2025-04-01") }, D);
  expect(
    answer.results.map(({ conversions, visitors, valueMicros }) => [
      conversions.total,
      visitors.total,
      valueMicros.total,
    ]),
  ).toEqual(pages.map((_, at) => [at + 1, at + 1, 2 * (at + 1)].map(BigInt)));
  await expect(
    ask({ range: dates("2025-03-28", "2025-03-29"), granularity: "minute" }, D),
  ).rejects.toMatchObject({
    field: "granularity",
    message: 'granularity "minute" makes 2880 buckets for each of 50 goals, more than 100000 in all',
  });
});

test.each([
  [{ timeZone: "Mars/Olympus" }, 'time_zone "Mars/Olympus" is not'],
  [{ range: dates("2025-03-30", "2025-03-29") }, 'dates.start "2025-03-30" is after'],
  [{ goalIds: [2, 2] }, 'goal_ids "2" is asked for twice'],
  [{ goalIds: [0] }, 'goal_ids "0" is no goal'],
])("what cannot be answered is refused by its field and value: %o", async (request, message) => {
  await expect(ask(request)).rejects.toThrow(message);
  await expect(ask(request)).rejects.toMatchObject({ kind: "invalid" });
});
