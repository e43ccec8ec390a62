import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { behaviorsOf, type Filter, testsOf } from "./question/filter.ts";
import type { Merchant, Question } from "./question/question.ts";
import { answerQuestion } from "./run/answer-question.ts";
import { basesOf } from "./schema/field.ts";
import { plainAnswer, roundedAnswer } from "./testing/compare.ts";
import { eventsWithin } from "./testing/generate/events.ts";
import { questionsAbout } from "./testing/generate/questions.ts";
import { evaluate } from "./testing/naive/evaluate.ts";
import type { StoredEvent } from "./testing/naive/event.ts";
import { storeEvents } from "./testing/store-events.ts";

const FROM = Date.UTC(2025, 2, 3);
const TO = Date.UTC(2025, 4, 3);
const RUNS = Number(process.env.FOOTFALL_TEST_QUESTIONS ?? 150);

const merchants: Merchant[] = [1, 2].map((merchantId) => ({
  ...{ merchantId, partitionId: 0, timeZone: "UTC", currency: "EUR" },
}));

let database: TestDatabase;
let events: StoredEvent[];
beforeAll(async () => {
  database = await openTestDatabase(4);
  [events] = fc.sample(eventsWithin({ merchants: [1, 2], from: FROM, to: TO, sessions: 250 }), {
    numRuns: 1,
    seed: 18,
  }) as [StoredEvent[]];
  await storeEvents(database.pool, events, new Map());
  await database.pool.query("CALL refresh_continuous_aggregate('totals_15m', NULL, NULL)");
});
afterAll(() => database?.close());

test("a random question over random events is answered as by counting one event after another", async () => {
  await fc.assert(
    fc.asyncProperty(
      questionsAbout({ merchants, from: FROM, to: TO }).filter(hasSources),
      async (question) => {
        const answer = await answerQuestion(database.pool, question, { statementTimeoutMs: 30_000 });
        expect(plainAnswer(answer, question)).toEqual(roundedAnswer(evaluate(events, question)));
      },
    ),
    { numRuns: RUNS, endOnFailure: process.env.FOOTFALL_TEST_SHRINK === undefined },
  );
}, 600_000);

/** Columns that no table has yet. */
const ABSENT = new Set(["referrer_host", "visitor_first_time"]);

/** Which rows there are, the naive evaluation tells by events, and not by first and last page views alone. */
function isOfEvents({ metrics }: Question): boolean {
  const { relation } = basesOf(metrics[0]!)[0]!;
  return relation === "events" || relation === "items";
}

function hasSources(question: Question): boolean {
  const { metrics, dimensions, filter } = question;
  if (!isOfEvents(question)) return false;
  const ofMetrics = metrics.flatMap((metric) =>
    metric.kind === "distinct" ? (metric.where?.columns ?? []) : [],
  );
  const ofFilter = (one: Filter): string[] => [
    ...testsOf(one).flatMap(({ field }) => field.columns),
    ...behaviorsOf(one).flatMap(({ event }) => ofFilter(event)),
  ];
  const columns = [
    ...ofMetrics,
    ...dimensions.flatMap((dimension) => dimension.columns),
    ...(filter === undefined ? [] : ofFilter(filter)),
  ];
  return !columns.some((column) => ABSENT.has(column));
}
