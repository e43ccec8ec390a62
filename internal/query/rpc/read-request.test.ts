import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  Comparison_Kind,
  ComparisonSchema,
  Granularity,
  PeriodSchema,
} from "../../gen/footfall/query/v1/period_pb.js";
import { RunReportRequestSchema } from "../../gen/footfall/query/v1/report_pb.js";
import { ScopeSchema, Traffic } from "../../gen/footfall/query/v1/scope_pb.js";
import type { Span } from "../question/question.ts";
import { METRICS } from "../schema/metrics.ts";
import { schemaOf } from "../schema/schema.ts";
import { readFields, readOrder, readPageSize, readTopValues } from "./read-fields.ts";
import { readComparison, readGranularity, readPeriod } from "./read-period.ts";
import { readScope } from "./read-scope.ts";

const MERCHANT = { merchantId: 1, partitionId: 0, timeZone: "Europe/Berlin", currency: "EUR" };
const SCHEMA = schemaOf({ goals: [], properties: [] });

const request = (fields: MessageInitShape<typeof RunReportRequestSchema>) =>
  create(RunReportRequestSchema, fields);
const fields = (metrics: string[], dimensions: string[] = []) => readFields({ metrics, dimensions }, SCHEMA);

/** What a refusal tells. */
function refusal(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    const { reason, field, value, allowed } = error as Record<string, unknown>;
    return { reason, field, value, allowed };
  }
  return "none";
}

test("metrics and dimensions are found by name, those of properties too", () => {
  const { metrics, dimensions } = fields(["visitors", "property:weight:p90"], ["time", "property:plan"]);
  expect(metrics.map(({ kind }) => kind)).toEqual(["distinct", "quantile"]);
  expect(dimensions.map(({ name }) => name)).toEqual(["time", "property:plan"]);
});

test.each([
  [[], [], { reason: "FIELD_MISSING", field: "metrics" }],
  [["visitor"], [], { reason: "FIELD_UNKNOWN", field: "metrics[0]", value: "visitor", allowed: "visitors" }],
  [["events", "events"], [], { reason: "FIELD_INVALID", field: "metrics[1]", value: "events" }],
  [["events"], ["contry"], { reason: "FIELD_UNKNOWN", field: "dimensions[0]", allowed: "country" }],
  [["events"], ["Robert'); DROP TABLE events;--"], { reason: "FIELD_UNKNOWN", field: "dimensions[0]" }],
  [METRICS.slice(0, 21).map(({ name }) => name), [], { field: "metrics", value: "21 names" }],
  [
    ["events"],
    [..."abcdefghij"].map((name) => `property:${name}`),
    { field: "dimensions", value: "10 names" },
  ],
])("%j by %j is refused, and why is told", (metrics, dimensions, told) => {
  expect(refusal(() => fields(metrics, dimensions))).toMatchObject(told);
});

test("orders are by fields of the question; by default by time, else by the first metric", () => {
  const byPage = fields(["events", "visitors"], ["page"]);
  const read = (orderBy: MessageInitShape<typeof RunReportRequestSchema>["orderBy"], compared = false) =>
    readOrder(request({ orderBy: orderBy! }).orderBy, byPage, compared);
  expect(read([])).toEqual([{ by: { metric: 0 }, ascending: false, byChange: false }]);
  expect(readOrder([], fields(["events"], ["page", "time"]), false)).toEqual([
    { by: { dimension: 1 }, ascending: true, byChange: false },
  ]);
  expect(
    read(
      [
        { field: "page", ascending: true },
        { field: "visitors", byChange: true },
      ],
      true,
    ),
  ).toEqual([
    { by: { dimension: 0 }, ascending: true, byChange: false },
    { by: { metric: 1 }, ascending: false, byChange: true },
  ]);
  expect(refusal(() => read([{ field: "revenue" }]))).toMatchObject({
    field: "order_by[0].field",
    value: "revenue",
  });
  expect(refusal(() => read([{ field: "events", byChange: true }]))).toMatchObject({
    reason: "NOT_COMPATIBLE",
  });
});

test("page sizes and top values within their bounds", () => {
  const one = { start: 0, end: 1 };
  const width = (metrics: string[], dimensions: string[] = [], spans: [Span] | [Span, Span] = [one]) => ({
    ...fields(metrics, dimensions),
    spans,
  });
  const byTime = width(["events"], ["time"]);
  const byPage = width(["events"], ["page"]);
  expect([0, 7, 10_001].map((size) => readPageSize(size, byPage))).toEqual([100, 7, 10_000]);
  expect(readPageSize(0, byTime)).toBe(10_000);
  // 4 metrics of 2 periods, and 2 dimensions: 10 columns.
  const wide = width(["events", "visitors", "sessions", "orders"], ["time", "page"], [one, one]);
  expect([0, 1_000, 10_000].map((size) => readPageSize(size, wide))).toEqual([100, 1_000, 2_000]);
  expect(refusal(() => readPageSize(-1, byPage))).toMatchObject({ field: "page_size", value: "-1" });
  expect(readTopValues(5, byPage.dimensions)).toBe(5);
  expect(refusal(() => readTopValues(5, byTime.dimensions))).toMatchObject({ reason: "NOT_COMPATIBLE" });
  expect(refusal(() => readTopValues(101, byTime.dimensions))).toMatchObject({ value: "101" });
});

test("periods, comparisons, granularities", () => {
  const dates = { startDate: "2026-01-01", endDate: "2026-01-31" };
  const period = create(PeriodSchema, { span: { case: "dates", value: dates } });
  expect(readPeriod(period)).toEqual({ kind: "dates", ...dates });
  expect(refusal(() => readPeriod(undefined))).toMatchObject({ reason: "FIELD_MISSING", field: "period" });
  const times = { startTime: { seconds: 60n, nanos: 0 }, endTime: { seconds: 120n, nanos: 1 } };
  expect(
    refusal(() => readPeriod(create(PeriodSchema, { span: { case: "times", value: times } }))),
  ).toMatchObject({ field: "period.times.end_time", allowed: "a whole minute" });
  const relative = { unit: 99 as Granularity, count: 3 };
  expect(
    refusal(() => readPeriod(create(PeriodSchema, { span: { case: "relative", value: relative } }))),
  ).toMatchObject({ field: "period.relative.unit", value: "99" });
  const comparison = (kind: Comparison_Kind, given?: typeof period) =>
    readComparison(create(ComparisonSchema, { kind, ...(given && { period: given }) }));
  expect(comparison(Comparison_Kind.CUSTOM, period)).toMatchObject({
    kind: "custom",
    period: { kind: "dates" },
  });
  expect(refusal(() => comparison(Comparison_Kind.CUSTOM))).toMatchObject({ field: "comparison.period" });
  expect(refusal(() => comparison(Comparison_Kind.UNSPECIFIED))).toMatchObject({ field: "comparison.kind" });
  expect(refusal(() => comparison(Comparison_Kind.PREVIOUS_YEAR, period))).toMatchObject({
    field: "comparison.period",
  });
  expect(readGranularity(Granularity.UNSPECIFIED, true)).toBe("day");
  expect(readGranularity(Granularity.UNSPECIFIED, false)).toBeUndefined();
  expect(refusal(() => readGranularity(Granularity.WEEK, false))).toMatchObject({ reason: "NOT_COMPATIBLE" });
});

test("a scope has the merchant's zone by default", () => {
  const byDefault = {
    timeZone: "Europe/Berlin",
    traffic: "people",
    accuracy: "balanced",
    identity: "visitor",
  };
  expect(readScope(undefined, MERCHANT)).toEqual(byDefault);
  const given = create(ScopeSchema, { timeZone: "asia/kathmandu", traffic: Traffic.ALL });
  expect(readScope(given, MERCHANT)).toMatchObject({ timeZone: "Asia/Kathmandu", traffic: "all" });
  expect(refusal(() => readScope(create(ScopeSchema, { timeZone: "+01:00" }), MERCHANT))).toMatchObject({
    field: "scope.time_zone",
    value: "+01:00",
  });
});
