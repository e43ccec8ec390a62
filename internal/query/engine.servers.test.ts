import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, refreshAggregates, type TestDatabase } from "../../test/kit/database.ts";
import { invalidateSql } from "../store/invalidations.ts";
import type { ReadSource } from "../store/snapshot.ts";
import { columnsOfQuestion } from "./plan/question-columns.ts";
import { isOfSessions } from "./plan/sample.ts";
import type { Merchant, Question } from "./question/question.ts";
import { answerQuestion } from "./run/answer-question.ts";
import { DIMENSIONS } from "./schema/dimensions.ts";
import { basesOf } from "./schema/field.ts";
import { METRICS } from "./schema/metrics.ts";
import { addMerchants } from "./testing/add-merchants.ts";
import { plainAnswer, roundedAnswer } from "./testing/compare.ts";
import { eventsWithin } from "./testing/generate/events.ts";
import { GOALS, OWN_FIELDS } from "./testing/generate/own-fields.ts";
import { questionsAbout } from "./testing/generate/questions.ts";
import { evaluate, type RightAnswer } from "./testing/naive/evaluate.ts";
import type { StoredEvent } from "./testing/naive/event.ts";
import { worldOf } from "./testing/naive/world.ts";
import { storeEvents } from "./testing/store-events.ts";

const FROM = Date.UTC(2025, 2, 3);
const TO = Date.UTC(2025, 4, 3);
const RUNS = Number(process.env.FOOTFALL_TEST_QUESTIONS ?? 150);

const merchants: Merchant[] = [1, 2].map((merchantId) => ({
  ...{ merchantId, partitionId: 0, timeZone: "UTC", currency: "EUR" },
}));

/** The one with rollups. */
const LARGE = 2;
const ROLLUPS_FROM = new Map([[LARGE, FROM]]);
/** So many of each merchant's came after the aggregates were refreshed. */
const LATE_SESSIONS = 3;

let database: TestDatabase;
let events: StoredEvent[];
beforeAll(async () => {
  database = await openTestDatabase(4);
  [events] = fc.sample(eventsWithin({ merchants: [1, 2], from: FROM, to: TO, sessions: 250 }), {
    numRuns: 1,
    seed: 18,
  }) as [StoredEvent[]];
  await addMerchants(database.pool, [1, 2], ROLLUPS_FROM);
  const isLate = ({ session }: StoredEvent) => session <= LATE_SESSIONS;
  await store(events.filter((event) => !isLate(event)));
  await refreshAggregates(database.pool);
  await store(events.filter(isLate));
  await markAsStale(events.filter(isLate));
});
afterAll(() => database?.close());

test("a random question over random events is answered as by counting one event after another", async () => {
  const read = new Set<ReadSource>();
  const onRead = (sources: readonly ReadSource[]) => {
    for (const source of sources) read.add(source);
  };
  await fc.assert(
    fc.asyncProperty(questionsAbout({ merchants, from: FROM, to: TO, ...OWN_FIELDS }), async (question) => {
      const answer = await answerQuestion(database.pool, question, { statementTimeoutMs: 30_000, onRead });
      expect(plainAnswer(answer, question)).toEqual(roundedAnswer(evaluate(events, question, GOALS)));
      const { oldestProcessorVersion, newestProcessorVersion } = answer;
      expect([oldestProcessorVersion, newestProcessorVersion]).toEqual(versionsIn(question));
    }),
    {
      numRuns: RUNS,
      examples: [[ofPresence], [ofRollup]],
      endOnFailure: process.env.FOOTFALL_TEST_SHRINK === undefined,
    },
  );
  expect([...read].sort()).toEqual(["aggregate", "raw", "rollup", "sessions", "visits"]);
}, 600_000);

test("a sample of the visitors estimates distinct counts, and leaves rows and all other numbers as they are", async () => {
  let estimates = 0;
  await fc.assert(
    fc.asyncProperty(
      questionsAbout({ merchants, from: FROM, to: TO, ...OWN_FIELDS }).map(withEstimates),
      async (question) => {
        const limits = { statementTimeoutMs: 30_000, sampleFromEvents: 0 };
        const answer = await answerQuestion(database.pool, question, limits);
        const estimated = new Set(
          answer.totals.columns.filter(({ standardErrors }) => standardErrors).map(({ name }) => name),
        );
        estimates += estimated.size;
        const sums = question.metrics.filter(({ kind }) => kind === "additive" || kind === "quantile");
        expect(sums.filter(({ name }) => estimated.has(name))).toEqual([]);
        const exact = ({ rows, totals, totalRows }: RightAnswer) => {
          const of = (values: RightAnswer["totals"]) =>
            values.map((span) => span.filter((_, at) => !estimated.has(question.metrics[at]!.name)));
          return {
            rows: rows.map((row) => ({ ...row, metrics: of(row.metrics) })),
            totals: of(totals),
            totalRows,
          };
        };
        const [found, right] = [
          exact(plainAnswer(answer, question)),
          exact(roundedAnswer(evaluate(events, question, GOALS))),
        ];
        if (isOfSampledSessions(question) && estimated.size > 0) {
          // Values of sessions of which none is in the sample are left out.
          expect(right.rows).toEqual(expect.arrayContaining(found.rows));
          expect(found.totalRows).toBe(found.rows.length);
        } else expect(found).toEqual(right);
      },
    ),
    { numRuns: Math.ceil(RUNS / 3), endOnFailure: process.env.FOOTFALL_TEST_SHRINK === undefined },
  );
  expect(estimates).toBeGreaterThan(0);
}, 600_000);

/** What an estimate may not decide: which rows there are, and in which order. */
function withEstimates(question: Question): Question {
  const orderBy = question.orderBy.filter(({ by }) => "dimension" in by);
  const asked = { ...question, orderBy, metricFilter: undefined, topValues: undefined };
  return {
    ...asked,
    accuracy: "fast",
    ...(isOfSessions(columnsOfQuestion(question)) && { offset: 0, limit: 10_000 }),
  };
}

/** Whether rows are told apart, or filtered, by whole sessions, of which those of the sample alone are read. */
function isOfSampledSessions(question: Question): boolean {
  return (
    isOfSessions(columnsOfQuestion(question)) &&
    question.metrics.flatMap(basesOf).every(({ kind }) => kind === "distinct" || kind === "session_sum")
  );
}

/** Random questions seldom ask for what sessions of quarter hours answer. */
const ofPresence: Question = {
  merchant: merchants.find(({ merchantId }) => merchantId === LARGE)!,
  timeZone: "UTC",
  traffic: "people",
  identity: "visitor",
  accuracy: "exact",
  spans: [{ start: FROM + 15 * 60_000, end: TO }],
  metrics: METRICS.filter(({ name }) => name === "visitors"),
  dimensions: [],
  orderBy: [],
  includeEmpty: true,
  offset: 0,
  limit: 100,
};

/** Nor for what daily sums by dimension do. */
const ofRollup: Question = {
  ...ofPresence,
  metrics: METRICS.filter(({ name }) => name === "page_views"),
  dimensions: DIMENSIONS.filter(({ name }) => name === "country"),
};

/** The lowest and the highest of the events in the spans, whatever the filter. */
function versionsIn(question: Question): [number, number] {
  const seen = question.spans.flatMap((span) => worldOf(events, question, span, GOALS).events);
  const versions = seen.map(({ processorVersion }) => processorVersion);
  return versions.length === 0 ? [0, 0] : [Math.min(...versions), Math.max(...versions)];
}

function store(some: readonly StoredEvent[]): Promise<void> {
  return storeEvents(database.pool, some, ROLLUPS_FROM);
}

async function markAsStale(some: readonly StoredEvent[]): Promise<void> {
  await database.pool.query(
    invalidateSql(
      "SELECT time_bucket(INTERVAL '15 minutes', ts) AS bucket, 0 AS partition_id FROM unnest($1::timestamptz[]) AS ts",
    ),
    [some.map(({ time }) => new Date(time))],
  );
}
