import { toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RunReportRequestSchema } from "../../gen/footfall/query/v1/report_pb.js";
import { parseQuestion, type QuestionText } from "./parse-question.ts";

const question = (given: Partial<QuestionText>) =>
  parseQuestion({
    metrics: ["visitors"],
    by: [],
    granularity: undefined,
    filter: undefined,
    metricFilter: undefined,
    order: [],
    top: undefined,
    includeEmpty: false,
    traffic: "people",
    accuracy: "balanced",
    identity: "visitor",
    timeZone: undefined,
    merchant: undefined,
    last: undefined,
    from: undefined,
    to: undefined,
    includeCurrent: false,
    compare: undefined,
    matchDayOfWeek: false,
    cutToNow: false,
    ...given,
  });

const json = (given: Partial<QuestionText>) =>
  toJson(RunReportRequestSchema, question({ last: "30d", ...given })) as Record<string, unknown>;

test("a question with everything", () => {
  const given: Partial<QuestionText> = {
    metrics: ["visitors", "revenue"],
    by: ["time", "channel"],
    granularity: "quarter_hour",
    filter: "country==DE",
    metricFilter: "visitors>=10",
    order: ["-visitors", "channel", "-revenue:change"],
    top: 5,
    includeEmpty: true,
    traffic: "all",
    accuracy: "exact",
    identity: "person",
    timeZone: "Asia/Kathmandu",
    merchant: 7,
    compare: "previous_year",
    matchDayOfWeek: true,
  };
  expect(json(given)).toEqual({
    scope: {
      merchantId: 7,
      timeZone: "Asia/Kathmandu",
      filter: { condition: { field: "country", text: { match: "MATCH_EXACT", value: "DE" } } },
      traffic: "TRAFFIC_ALL",
      accuracy: "ACCURACY_EXACT",
      identity: "IDENTITY_PERSON",
    },
    period: { relative: { unit: "GRANULARITY_DAY", count: 30 } },
    metrics: ["visitors", "revenue"],
    dimensions: ["time", "channel"],
    granularity: "GRANULARITY_QUARTER_HOUR",
    comparison: { kind: "KIND_PREVIOUS_YEAR", matchDayOfWeek: true },
    metricFilter: { condition: { field: "visitors", number: { atLeast: 10 } } },
    orderBy: [
      { field: "visitors" },
      { field: "channel", ascending: true },
      { field: "revenue", byChange: true },
    ],
    topValues: 5,
    includeEmpty: true,
  });
});

test.each<[Partial<QuestionText>, object]>([
  [{ last: "90min" }, { relative: { unit: "GRANULARITY_MINUTE", count: 90 } }],
  [
    { last: "1mo", includeCurrent: true },
    { relative: { unit: "GRANULARITY_MONTH", count: 1, includeCurrent: true } },
  ],
  [{ last: "2q" }, { relative: { unit: "GRANULARITY_QUARTER", count: 2 } }],
  [
    { last: undefined, from: "2026-11-01", to: "2026-11-30" },
    { dates: { startDate: "2026-11-01", endDate: "2026-11-30" } },
  ],
  [
    { last: undefined, from: "2026-11-01T10:00+05:45", to: "2026-11-01T12:30:00Z" },
    { times: { startTime: "2026-11-01T04:15:00Z", endTime: "2026-11-01T12:30:00Z" } },
  ],
])("the period of %j", (given, period) => {
  expect(json(given).period).toEqual(period);
});

test("a comparison to another range", () => {
  expect(json({ compare: "2025-11-01..2025-11-30", cutToNow: true }).comparison).toEqual({
    kind: "KIND_CUSTOM",
    period: { dates: { startDate: "2025-11-01", endDate: "2025-11-30" } },
    cutToNow: true,
  });
});

test("a field whose own name ends with :change is ordered by itself", () => {
  expect(json({ by: ["property:change"], order: ["property:change"] }).orderBy).toEqual([
    { field: "property:change", ascending: true },
  ]);
});

test.each<[Partial<QuestionText>, string]>([
  [{ last: undefined }, "a period is required: --last 30d, or --from"],
  [{ from: "2026-11-01" }, "a period is required"],
  [{ last: "5m" }, '--last "5m" must be a number and one of min, h, d, w, mo, q, y'],
  [{ last: undefined, from: "2026-11-01", to: "2026-11-02T10:00Z" }, "both of one kind"],
  [{ last: undefined, from: "2026-11-01T10:00", to: "2026-11-02T10:00" }, "--from and --to"],
  [{ last: undefined, from: "2026-11-01", to: "2026-11-02", includeCurrent: true }, "--last alone"],
  [{ compare: "yesterday" }, '--compare "yesterday" must be previous_period'],
  [{ cutToNow: true }, "go with --compare"],
  [{ filter: "country=" }, "--filter: the filter is wrong"],
  [{ metricFilter: "(" }, "--metric-filter: the filter is wrong"],
])("refuses %j", (given, message) => {
  expect(() => question({ last: "30d", ...given })).toThrow(message);
});
