import fc from "fast-check";
import { expect, test } from "vitest";
import type { Goal } from "../../store/goals.ts";
import type { Question } from "../question/question.ts";
import { DIMENSIONS } from "../schema/dimensions.ts";
import { goalDimension, goalMetrics } from "../schema/goals.ts";
import { METRICS } from "../schema/metrics.ts";
import { propertyDimension, propertyMetric } from "../schema/properties.ts";
import { questionsAbout } from "../testing/generate/questions.ts";
import { questionKey } from "./question-key.ts";

const merchant = { merchantId: 1, partitionId: 0, timeZone: "UTC", currency: "EUR" };
const questions = questionsAbout({ merchants: [merchant], from: 0, to: 40 * 86_400_000 });

/** A question with all of its parts. */
const FULL: Question = {
  merchant,
  timeZone: "UTC",
  traffic: "people",
  accuracy: "exact",
  identity: "visitor",
  spans: [
    { start: 86_400_000, end: 172_800_000 },
    { start: 0, end: 86_400_000 },
  ],
  metrics: [METRICS[0]!],
  dimensions: [DIMENSIONS[1]!],
  filter: { kind: "test", field: DIMENSIONS[1]!, test: { kind: "in", values: ["a", "b"] } },
  metricFilter: { kind: "test", field: METRICS[0]!, test: { kind: "number", min: 1 } },
  orderBy: [{ by: { metric: 0 }, ascending: false, byChange: false }],
  includeEmpty: false,
  offset: 0,
  limit: 10,
  topValues: 5,
};

test("a question that is made anew has the key that it had", () => {
  fc.assert(
    fc.property(questions, (question) => {
      const again = { ...question, spans: question.spans.map((span) => ({ ...span })) };
      expect(questionKey(again as unknown as Question)).toBe(questionKey(question));
    }),
    { numRuns: 200 },
  );
});

test("whatever differs makes another key", () => {
  const others: Partial<Question>[] = [
    { merchant: { ...merchant, merchantId: 2 } },
    { merchant: { ...merchant, currency: "USD" } },
    { timeZone: "Asia/Kathmandu" },
    { traffic: "all" },
    { accuracy: "fast" },
    { identity: "person" },
    { spans: [{ start: 86_400_000, end: 172_800_000 }] },
    { spans: [{ start: 86_400_000, end: 172_800_000, edges: [86_400_000, 172_800_000] }, FULL.spans[1]!] },
    { metrics: [METRICS[1]!] },
    { metrics: [METRICS[0]!, METRICS[1]!] },
    { dimensions: [] },
    { filter: undefined },
    { filter: { kind: "not", of: FULL.filter! } },
    { filter: { kind: "test", field: DIMENSIONS[1]!, test: { kind: "in", values: ["a"] } } },
    { filter: { kind: "test", field: DIMENSIONS[2]!, test: { kind: "in", values: ["a", "b"] } } },
    { metricFilter: { kind: "test", field: METRICS[0]!, test: { kind: "number", min: 2 } } },
    { orderBy: [{ by: { metric: 0 }, ascending: true, byChange: false }] },
    { includeEmpty: true },
    { offset: 10 },
    { limit: 11 },
    { topValues: undefined },
    { metrics: [propertyMetric("property:a:sum")!] },
    { metrics: [propertyMetric("property:a:count")!] },
    { metrics: [propertyMetric("property:b:sum")!] },
    { dimensions: [propertyDimension("property:a")!] },
  ];
  const keys = [FULL, ...others.map((other) => ({ ...FULL, ...other }))].map(questionKey);
  expect(new Set(keys).size).toBe(keys.length);
});

test("all fields have keys of their own", () => {
  const keys = [
    ...METRICS.map((metric) => questionKey({ ...FULL, metrics: [metric] })),
    ...DIMENSIONS.map((dimension) => questionKey({ ...FULL, dimensions: [dimension] })),
  ];
  expect(new Set(keys).size).toBe(METRICS.length + DIMENSIONS.length - 1);
});

test("a goal that is defined otherwise makes another key, where the question reads it", () => {
  const goal = { goalId: 1, name: "Order", eventName: "order", pagePattern: undefined } as unknown as Goal;
  const changed = { ...goal, pagePattern: "/thanks/**" };
  const keyWith = (goals: Goal[]) => [
    ...goalMetrics(goals).map((metric) => questionKey({ ...FULL, metrics: [metric] })),
    questionKey({ ...FULL, dimensions: [goalDimension(goals)] }),
  ];
  const [before, again, after] = [keyWith([goal]), keyWith([{ ...goal }]), keyWith([changed])];
  expect(again).toEqual(before);
  expect(new Set([...before, ...after]).size).toBe(before.length + after.length);
});
