import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { Failure } from "../../failure/failure.ts";
import type { Question } from "../question/question.ts";
import { schemaOf } from "../schema/schema.ts";
import { answerQuestion } from "./answer-question.ts";
import { Budgets } from "./budgets.ts";
import type { PageToken } from "./page-token.ts";
import { questionKey } from "./question-key.ts";
import { type Answered, QuestionRunner, type RunnerOptions } from "./run-questions.ts";
import { Turns } from "./turns.ts";

const DAY_MS = 86_400_000;
const FIRST = Date.UTC(2026, 2, 1);
const SCHEMA = schemaOf({ goals: [], properties: [] });

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(2);
});
afterAll(() => database?.close());

/** Each test has a merchant of its own. */
let merchantId = 0;
beforeEach(() => void merchantId++);

/** Page views of the merchant on a day; 0 is the first of March. Another partition's are of another merchant. */
function write(day: number, pages: readonly string[], partition = 0, storedThrough = FIRST) {
  const merchant_id = partition === 0 ? merchantId : 1_000;
  const rows = pages.map((page, at) =>
    eventRow({ merchant_id, ts: FIRST + day * DAY_MS + at, page, visitor_id: BigInt(at + 1) }),
  );
  return commitNext(database.pool, [batchOf(rows)], { partition, storedThrough });
}

/** Events by page over days [from, to]. */
function question(from: number, to: number, fields: Partial<Question> = {}): Question {
  return {
    merchant: { merchantId, partitionId: 0, timeZone: "UTC", currency: "EUR" },
    ...{ timeZone: "UTC", traffic: "people", accuracy: "exact", identity: "visitor" },
    spans: [{ start: FIRST + from * DAY_MS, end: FIRST + (to + 1) * DAY_MS }],
    metrics: [SCHEMA.metric("events")!],
    dimensions: [SCHEMA.dimension("page")!],
    orderBy: [{ by: { metric: 0 }, ascending: false, byChange: false }],
    ...{ includeEmpty: true, offset: 0, limit: 100, ...fields },
  };
}

function runnerWith(options: Partial<RunnerOptions> = {}): QuestionRunner {
  return new QuestionRunner({
    pool: database.pool,
    quickPool: database.pool,
    turns: new Turns({ slots: 4, waiting: 100 }),
    budgets: new Budgets(600_000),
    statementTimeoutMs: 30_000,
    cacheBytes: 10_000_000,
    ...options,
  });
}

/** Statements that were worked on for questions. */
let worked = 0;

async function outcome(runner: QuestionRunner, asked: Question, page?: PageToken, signal = never()) {
  const limits = { statementTimeoutMs: 30_000, signal, onRead: () => void worked++ };
  const [each] = await runner.run([{ question: asked, key: questionKey(asked), page }], limits);
  return each!;
}

async function ask(runner: QuestionRunner, asked: Question, page?: PageToken): Promise<Answered> {
  const each = await outcome(runner, asked, page);
  if (each instanceof Failure) throw each;
  return each;
}

const never = () => new AbortController().signal;

/** The pages of an answer with their events. */
function rowsOf({ answer }: Pick<Answered, "answer">): [page: string | null, events: bigint][] {
  const [pages, events] = answer.table.columns;
  return pages!.values.map((page, row) => [page as string, events!.values[row] as bigint]);
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => `/${at}`);

describe("answers that are kept", () => {
  test("closed days stay kept while data come to others, and late data drop them", async () => {
    const runner = runnerWith();
    const march = question(0, 1);
    await write(0, ["/a", "/b", "/a"]);
    const expected = [
      ["/a", 2n],
      ["/b", 1n],
    ];
    const first = await ask(runner, march);
    expect([first.isKept, rowsOf(first)]).toEqual([false, expected]);
    expect(first.spent).toBeGreaterThan(0);
    // A session may reach into the days beside; those beyond, and other partitions, have nothing to do with it.
    await write(3, ["/c"]);
    await write(0, ["/d"], 1);
    const again = await ask(runner, march);
    expect([again.isKept, again.spent, rowsOf(again)]).toEqual([true, 0, expected]);
    expect(again.revision).toBe(first.revision);
    await write(0, ["/b", "/b"]);
    const late = await ask(runner, march);
    expect([late.isKept, rowsOf(late)]).toEqual([
      false,
      [
        ["/b", 3n],
        ["/a", 2n],
      ],
    ]);
    for (const beside of [-1, 2]) {
      await write(beside, ["/e"]);
      expect((await ask(runner, march)).isKept).toBe(false);
    }
  });

  test("who is new is told by all days before: an event on any of them drops it", async () => {
    const runner = runnerWith();
    const asked = question(9, 9, { metrics: [SCHEMA.metric("new_visitors")!], dimensions: [] });
    const count = ({ answer }: Answered) => answer.totals.columns[0]!.values[0];
    await write(9, ["/a", "/b"]);
    expect(count(await ask(runner, asked))).toBe(2n);
    await write(12, ["/a"]);
    expect((await ask(runner, asked)).isKept).toBe(true);
    await write(1, ["/a"]);
    const late = await ask(runner, asked);
    expect([late.isKept, count(late)]).toEqual([false, 1n]);
  });

  test("how fresh they are is read each time", async () => {
    const runner = runnerWith();
    await write(0, ["/a"]);
    const { answer } = await ask(runner, question(0, 0));
    const later = answer.dataThrough! + 60_000;
    await write(9, ["/a"], 0, later);
    const again = await ask(runner, question(0, 0));
    expect([again.isKept, again.answer.dataThrough]).toEqual([true, later]);
  });

  test("another question, and another merchant, has an answer of its own", async () => {
    const runner = runnerWith();
    await write(0, ["/a"]);
    await ask(runner, question(0, 0));
    expect((await ask(runner, question(0, 1))).isKept).toBe(false);
    expect((await ask(runner, question(0, 0, { traffic: "all" }))).isKept).toBe(false);
    merchantId++;
    expect(rowsOf(await ask(runner, question(0, 0)))).toEqual([]);
  });

  test("whatever is written between questions, the answer is what counting anew has", async () => {
    const runners = [runnerWith(), runnerWith({ cacheBytes: 20_000 })];
    const days = fc.integer({ min: 0, max: 6 });
    const writing = { day: days, pages: fc.array(fc.constantFrom("/a", "/b", "/c"), { minLength: 1 }) };
    const asking = { from: days, length: fc.nat(1), runner: fc.constantFrom(...runners) };
    const step = fc.oneof(fc.record(writing), { arbitrary: fc.record(asking), weight: 4 });
    let kept = 0;
    for (const each of fc.sample(step, { numRuns: 150, seed: 18 })) {
      if ("day" in each) {
        await write(each.day, each.pages);
        continue;
      }
      const asked = question(each.from, each.from + each.length);
      const answered = await ask(each.runner, asked);
      if (answered.isKept) kept++;
      const anew = await answerQuestion(database.pool, asked, { statementTimeoutMs: 30_000 });
      expect(answered.answer).toEqual(anew);
    }
    expect(kept).toBeGreaterThan(10);
  });
});

describe("the same question by many at a time", () => {
  test("it is worked on once, for one price", async () => {
    const runner = runnerWith();
    await write(0, ["/a"]);
    worked = 0;
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(runner, question(0, 0))));
    expect(worked).toBe(1);
    expect(all.filter(({ spent }) => spent > 0)).toHaveLength(1);
    expect(new Set(all.map((each) => JSON.stringify(rowsOf(each).map(String)))).size).toBe(1);
  });

  test("who goes away leaves the others their answer", async () => {
    const runner = runnerWith();
    await write(0, ["/a"]);
    worked = 0;
    const leaving = new AbortController();
    const gone = outcome(runner, question(0, 0), undefined, leaving.signal);
    const staying = ask(runner, question(0, 0));
    leaving.abort(new Failure("deadline", "too late"));
    await expect(gone).rejects.toMatchObject({ kind: "deadline" });
    expect(rowsOf(await staying)).toEqual([["/a", 1n]]);
    expect(worked).toBe(1);
  });
});

describe("pages", () => {
  /** The rows of all pages; between two of them something is done. */
  async function turn(
    runners: readonly QuestionRunner[],
    asked: Question,
    between = async (_: number) => {},
  ) {
    const rows: [string | null, bigint][] = [];
    let page: PageToken | undefined;
    for (let at = 0; ; at++) {
      const answered = await ask(runners[at % runners.length]!, asked, page);
      rows.push(...rowsOf(answered));
      expect(answered.answer.totals.columns[0]!.values).toEqual([BigInt(rowsTotal)]);
      const { nextOffset: offset, revision } = answered;
      if (offset === undefined) return rows;
      page = { offset, revision, now: 1 };
      await between(at);
    }
  }

  /** Events of the first snapshot. */
  let rowsTotal = 0;
  const byPage = (rows: [string | null, bigint][]) => new Map(rows);

  test("while data come all pages are of the first one's: no row is missing, none comes twice", async () => {
    const runner = runnerWith();
    await write(0, [...numbers(150), ...numbers(40)]);
    rowsTotal = 190;
    const rows = await turn([runner], question(0, 0, { limit: 20 }), async (at) => {
      await write(0, [`/new/${at}`, "/149", "/149", "/149"]);
      // Others ask meanwhile, and have what is new.
      expect((await ask(runner, question(0, 0, { limit: 20 }))).isKept).toBe(false);
    });
    expect(rows).toHaveLength(150);
    expect(byPage(rows)).toEqual(new Map(numbers(150).map((page, at) => [page, at < 40 ? 2n : 1n] as const)));
  });

  test("further pages than are kept, and another instance: they are read anew while no data have come", async () => {
    await write(0, numbers(95));
    rowsTotal = 95;
    const rows = await turn([runnerWith(), runnerWith()], question(0, 0, { limit: 7 }));
    expect(rows).toHaveLength(95);
    expect(byPage(rows)).toEqual(new Map(numbers(95).map((page) => [page, 1n] as const)));
  });

  test("where data have come, a page that is not kept is refused, never mixed", async () => {
    const [runner, other] = [runnerWith(), runnerWith()];
    await write(0, numbers(30));
    const asked = question(0, 0, { limit: 2 });
    const { revision } = await ask(runner, asked);
    await write(0, ["/new"]);
    const kept = await ask(runner, asked, { offset: 2, revision, now: 1 });
    expect(kept.answer.totalRows).toBe(30);
    const expired = expect.objectContaining({ kind: "precondition", reason: "PAGE_TOKEN_EXPIRED" });
    expect(await outcome(runner, asked, { offset: 20, revision, now: 1 })).toEqual(expired);
    expect(await outcome(other, asked, { offset: 2, revision, now: 1 })).toEqual(expired);
    expect(await outcome(runnerWith({ cacheBytes: 0 }), asked, { offset: 2, revision, now: 1 })).toEqual(
      expired,
    );
  });
});

test("a budget that is spent refuses what is to be worked on, not what is kept, nor another merchant's", async () => {
  const budgets = new Budgets(1_000);
  const runner = runnerWith({ budgets });
  await write(0, ["/a"]);
  const { spent } = await ask(runner, question(0, 0));
  expect(runner.remaining(merchantId)).toBeGreaterThanOrEqual(1_000 - spent - 1);
  expect(runner.remaining(merchantId)).toBeLessThan(1_000);
  budgets.charge(merchantId, 1_000);
  await expect(ask(runner, question(0, 1))).rejects.toMatchObject({
    kind: "exhausted",
    reason: "BUDGET_SPENT",
    retryAfterMs: expect.any(Number),
  });
  expect(await ask(runner, question(0, 0))).toMatchObject({ isKept: true, spent: 0 });
  merchantId++;
  expect(rowsOf(await ask(runner, question(0, 1)))).toEqual([]);
});

test("questions of one call are of one snapshot, each with its own outcome", async () => {
  const runner = runnerWith();
  await write(0, ["/a"]);
  await ask(runner, question(0, 0));
  await write(0, ["/a"]);
  const all = [question(0, 0), question(0, 1), question(0, 0, { limit: 5 })];
  const asked = all.map((each) => ({ question: each, key: questionKey(each) }));
  const expired = { ...asked[0]!, page: { offset: 100, revision: "gone", now: 1 } };
  const outcomes = await runner.run([...asked, expired], { statementTimeoutMs: 30_000, signal: never() });
  expect(outcomes.slice(0, 3).map((each) => rowsOf(each as Answered))).toEqual(Array(3).fill([["/a", 2n]]));
  expect(outcomes[3]).toMatchObject({ reason: "PAGE_TOKEN_EXPIRED" });
});
