import fc from "fast-check";
import { expect, test } from "vitest";
import type { Merchant, Question } from "../../question/question.ts";
import { DIMENSIONS } from "../../schema/dimensions.ts";
import { METRICS } from "../../schema/metrics.ts";
import { evaluate, type RightAnswer } from "../naive/evaluate.ts";
import { eventsWithin } from "./events.ts";
import { GOALS, OWN_FIELDS } from "./own-fields.ts";
import { questionsAbout } from "./questions.ts";

const FROM = Date.UTC(2025, 2, 3);
const TO = Date.UTC(2025, 4, 3);
const SEED = 18;

const merchants: Merchant[] = [1, 2].map((merchantId) => ({
  ...{ merchantId, partitionId: 0, timeZone: "UTC", currency: "EUR" },
}));
const [events] = fc.sample(eventsWithin({ merchants: [1, 2], from: FROM, to: TO, sessions: 250 }), {
  numRuns: 1,
  seed: SEED,
});
const asked = fc.sample(questionsAbout({ merchants, from: FROM, to: TO, ...OWN_FIELDS }), {
  numRuns: 800,
  seed: SEED,
});
const answered = asked.map((question) => ({ question, answer: evaluate(events!, question, GOALS) }));

/** How many of the questions have an answer of which something holds. */
const count = (test: (question: Question, answer: RightAnswer) => boolean) =>
  answered.filter(({ question, answer }) => test(question, answer)).length;

/** What goals that nobody reaches, or that are worth nothing, have always; and what no text property has. */
const NOTHING = /^goal:(9:|5:value)/;

test("each metric is asked for where it has a value that is not nothing", () => {
  const seen = new Set(
    answered.flatMap(({ question, answer }) =>
      question.metrics.filter((_, at) => Number(answer.totals[0]![at])).map(({ name }) => name),
    ),
  );
  const names = [...METRICS, ...OWN_FIELDS.metrics].map(({ name }) => name);
  expect(names.filter((name) => !seen.has(name) && !NOTHING.test(name))).toEqual([]);
});

test("each dimension is asked for where it tells rows apart", () => {
  const valuesOf = ({ question, answer }: (typeof answered)[number], name: string) => {
    const at = question.dimensions.findIndex((dimension) => dimension.name === name);
    return at < 0 ? 0 : new Set(answer.rows.map(({ dimensions }) => dimensions[at])).size;
  };
  const dull = [...DIMENSIONS, ...OWN_FIELDS.dimensions].filter(
    ({ name }) => !answered.some((one) => valuesOf(one, name) > 1),
  );
  expect(dull.map(({ name }) => name)).toEqual([]);
});

test("filters let something through, and keep something back; so do all other parts of questions", () => {
  const isLess = (part: Partial<Question>) => (question: Question, answer: RightAnswer) => {
    const plain = evaluate(events!, { ...question, ...part }, GOALS);
    return answer.rows.length > 0 && JSON.stringify(texts(plain)) !== JSON.stringify(texts(answer));
  };
  expect(count(isLess({ filter: undefined }))).toBeGreaterThan(50);
  expect(count(isLess({ metricFilter: undefined }))).toBeGreaterThan(10);
  expect(count(isLess({ orderBy: [] }))).toBeGreaterThan(30);
  expect(count(isLess({ topValues: undefined }))).toBeGreaterThan(20);
  expect(count((_, { rows }) => rows.some(({ isRest }) => isRest))).toBeGreaterThan(20);
  expect(count(({ spans }, { totals }) => spans.length === 2 && totals.flat().some(Number))).toBeGreaterThan(
    50,
  );
  expect(count(({ limit }, { totalRows }) => totalRows > limit)).toBeGreaterThan(50);
  const ranks = ["entrances", "exits", "exit_rate"];
  const isRanked = ({ metrics, topValues }: Question) =>
    topValues !== undefined && ranks.includes(metrics[0]!.name);
  expect(count((question, { rows }) => isRanked(question) && rows.length > 1)).toBeGreaterThan(2);
});

function texts({ rows, totals }: RightAnswer): unknown {
  return [
    rows.map(({ dimensions, metrics }) => [dimensions, metrics.flat().map(String)]),
    totals.flat().map(String),
  ];
}

test("another merchant's events, and those far from the spans, change no answer", () => {
  for (const { question, answer } of answered.slice(0, 200)) {
    const last = Math.max(...question.spans.map(({ end }) => end)) + 86_400_000;
    const own = events!.filter(
      ({ merchantId, time }) => merchantId === question.merchant.merchantId && time < last,
    );
    expect(evaluate(own, question, GOALS)).toEqual(answer);
  }
});
