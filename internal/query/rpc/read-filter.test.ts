import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { empty, raw } from "sql-template-tag";
import { expect, test } from "vitest";
import { Failure } from "../../failure/failure.ts";
import { FilterSchema, TextTest_Match } from "../../gen/footfall/query/v1/filter_pb.js";
import { DIMENSIONS } from "../schema/dimensions.ts";
import { METRICS } from "../schema/metrics.ts";
import { filterSql } from "../sql/filter.ts";
import { whoSql } from "../sql/persons.ts";
import { readFilter, readMetricFilter } from "./read-filter.ts";

type Init = MessageInitShape<typeof FilterSchema>;

const find = (name: string) => DIMENSIONS.find((one) => one.name === name);
const read = (init: Init) => readFilter(create(FilterSchema, init), find, "scope.filter");
const condition = (field: string, to: object): Init => ({
  expression: { case: "condition", value: { field, test: to } as never },
});
const text = (value: string, match = TextTest_Match.EXACT) =>
  condition("page", { case: "text", value: { value, match } });
const all = (filters: Init[]): Init => ({ expression: { case: "allOf", value: { filters } } });
const not = (value: Init): Init => ({ expression: { case: "not", value } });
const behavior = (event: Init | undefined, more: object = {}): Init => ({
  expression: { case: "behavior", value: { subject: 1, ...(event && { event }), ...more } as never },
});
const nested = (depth: number): Init => (depth === 1 ? text("a") : not(nested(depth - 1)));

test("reads what the wire says", () => {
  const filter = read(
    all([
      text("/a", TextTest_Match.PREFIX),
      not(condition("hour", { case: "number", value: { atLeast: 9 } })),
    ]),
  );
  expect(filter).toMatchObject({
    kind: "all",
    of: [
      {
        kind: "test",
        field: { name: "page" },
        test: { kind: "text", match: "prefix", value: "/a", ignoreCase: false },
      },
      { kind: "not", of: { field: { name: "hour" }, test: { kind: "number", min: 9 } } },
    ],
  });
  expect(read(behavior(text("a")))).toMatchObject({ subject: "session", atLeast: 1, atMost: undefined });
  expect(read(behavior(text("a"), { atMost: 0 }))).toMatchObject({ atLeast: 0, atMost: 0 });
});

test.each<[string, Init, string, string]>([
  ["nothing", {}, "scope.filter", "FIELD_MISSING"],
  ["an empty list", all([]), "scope.filter.all_of.filters", "FIELD_MISSING"],
  [
    "an unknown field",
    all([text("a"), condition("colour", { case: "isEmpty", value: true })]),
    "scope.filter.all_of.filters[1].condition.field",
    "FIELD_UNKNOWN",
  ],
  [
    "time",
    condition("time", { case: "isEmpty", value: true }),
    "scope.filter.condition.field",
    "NOT_COMPATIBLE",
  ],
  [
    "no test",
    { expression: { case: "condition", value: { field: "page" } } },
    "scope.filter.condition",
    "FIELD_MISSING",
  ],
  [
    "a number of a text",
    condition("page", { case: "number", value: { atLeast: 1 } }),
    "scope.filter.condition.number",
    "NOT_COMPATIBLE",
  ],
  [
    "a text of a number",
    condition("hour", { case: "text", value: { value: "1" } }),
    "scope.filter.condition.text",
    "NOT_COMPATIBLE",
  ],
  [
    "NaN",
    condition("hour", { case: "number", value: { atLeast: Number.NaN } }),
    "scope.filter.condition.number.at_least",
    "FIELD_INVALID",
  ],
  [
    "Infinity",
    condition("hour", { case: "number", value: { lessThan: Number.POSITIVE_INFINITY } }),
    "scope.filter.condition.number.less_than",
    "FIELD_INVALID",
  ],
  [
    "no number",
    condition("hour", { case: "number", value: {} }),
    "scope.filter.condition.number",
    "FIELD_INVALID",
  ],
  ["an empty text", text(""), "scope.filter.condition.text.value", "FIELD_INVALID"],
  ["a long text", text("x".repeat(1_025)), "scope.filter.condition.text.value", "FIELD_INVALID"],
  ["U+0000", text("a\0"), "scope.filter.condition.text.value", "FIELD_INVALID"],
  ["half a pair", text("a\ud800"), "scope.filter.condition.text.value", "FIELD_INVALID"],
  ["an unknown match", text("a", 99 as TextTest_Match), "scope.filter.condition.text.match", "FIELD_INVALID"],
  ["a wrong regex", text("(", TextTest_Match.REGEX), "scope.filter.condition.text.value", "FIELD_INVALID"],
  [
    "many wildcards",
    text("*a".repeat(21), TextTest_Match.WILDCARD),
    "scope.filter.condition.text.value",
    "FIELD_INVALID",
  ],
  [
    "a long list",
    condition("page", { case: "inList", value: { values: Array(1_001).fill("a") } }),
    "scope.filter.condition.in_list.values",
    "FIELD_INVALID",
  ],
  [
    "a text in a list",
    condition("page", { case: "inList", value: { values: ["a", "\0"] } }),
    "scope.filter.condition.in_list.values[1]",
    "FIELD_INVALID",
  ],
  ["9 levels", nested(9), `scope.filter${".not".repeat(8)}`, "FIELD_INVALID"],
  [
    "9 levels with a behavior",
    behavior(nested(8)),
    `scope.filter.behavior.event${".not".repeat(7)}`,
    "FIELD_INVALID",
  ],
  [
    "101 conditions",
    all([all(Array(50).fill(text("a"))), all(Array(51).fill(text("a")))]),
    "scope.filter.all_of.filters[1].all_of.filters[50].condition",
    "FIELD_INVALID",
  ],
  [
    "101 with those of behaviors",
    all([behavior(all(Array(50).fill(text("a")))), all(Array(50).fill(text("a")))]),
    "scope.filter.all_of.filters[1].all_of.filters[49].condition",
    "FIELD_INVALID",
  ],
  [
    "25 regexes",
    all(Array(25).fill(text("a", TextTest_Match.REGEX))),
    "scope.filter.all_of.filters[24].condition",
    "FIELD_INVALID",
  ],
  [
    "4,097 characters of patterns, behaviors' among them",
    all([
      ...Array(3).fill(text("a".repeat(1_024), TextTest_Match.WILDCARD)),
      behavior(text("a".repeat(1_000), TextTest_Match.WILDCARD)),
      text("b".repeat(25), TextTest_Match.REGEX),
    ]),
    "scope.filter.all_of.filters[4].condition.text.value",
    "FIELD_INVALID",
  ],
  [
    "a behavior in another",
    behavior(behavior(text("a"))),
    "scope.filter.behavior.event.behavior",
    "NOT_COMPATIBLE",
  ],
  ["no subject", behavior(text("a"), { subject: 0 }), "scope.filter.behavior.subject", "FIELD_INVALID"],
  ["no event", behavior(undefined), "scope.filter.behavior.event", "FIELD_MISSING"],
  [
    "most below least",
    behavior(text("a"), { atLeast: 2, atMost: 1 }),
    "scope.filter.behavior.at_most",
    "FIELD_INVALID",
  ],
])("refuses %s", (_, init, field, reason) => {
  expect(refusal(() => read(init))).toMatchObject({ kind: "invalid", field, reason });
});

function refusal(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("takes 4,096 characters of patterns, and more of other texts", () => {
  const pattern = text("a".repeat(1_024), TextTest_Match.WILDCARD);
  const plain = text("a".repeat(1_024), TextTest_Match.CONTAINS);
  expect(() => read(all([...Array(4).fill(pattern), ...Array(50).fill(plain)]))).not.toThrow();
});

test("takes 8 levels and 100 conditions", () => {
  read(nested(8));
  read(all(Array(100).fill(text("a"))));
});

test("a filter of metrics knows the question's alone, and no behavior", () => {
  const metrics = METRICS.filter(({ name }) => name === "visitors");
  const readIt = (init: Init) =>
    readMetricFilter(
      create(FilterSchema, init),
      (name) => metrics.find((one) => one.name === name),
      "metric_filter",
    );
  expect(readIt(condition("visitors", { case: "number", value: { atLeast: 10 } }))).toMatchObject({
    field: { name: "visitors" },
  });
  expect(refusal(() => readIt(condition("events", { case: "isEmpty", value: true })))).toMatchObject({
    field: "metric_filter.condition.field",
    reason: "FIELD_UNKNOWN",
  });
  expect(refusal(() => readIt(behavior(text("a"))))).toMatchObject({
    field: "metric_filter.behavior",
    reason: "NOT_COMPATIBLE",
  });
});

const ODD = [
  "",
  "'; DROP TABLE events; --",
  "$1",
  "\0",
  "\ud800",
  "%_\\",
  "(a*)*b",
  "(((((a{9}){9}){9}){9}){9})",
  "\\pL{99}",
  "(".repeat(200),
  "[[:alpha:]",
  "\u202e\ufeff",
  "x".repeat(5_000),
  "__proto__",
  "a|".repeat(127),
  "(?:$|\\b|\\B|^){50}",
  "(?i)\\p{Greek}",
];
const odd = fc.oneof(fc.constantFrom(...ODD), fc.string({ unit: "binary" }));
const number = fc.option(fc.double(), { nil: undefined });
const conditions = fc
  .record({
    field: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...DIMENSIONS.map(({ name }) => name)) }, odd),
    test: fc.oneof(
      fc.record({
        case: fc.constant("text"),
        value: fc.record({ match: fc.nat(8), value: odd, ignoreCase: fc.boolean() }),
      }),
      fc.record({ case: fc.constant("inList"), value: fc.record({ values: fc.array(odd) }) }),
      fc.record({
        case: fc.constant("number"),
        value: fc.record({ atLeast: number, lessThan: number, equals: number }),
      }),
      fc.record({ case: fc.constant("isEmpty"), value: fc.boolean() }),
      fc.constant({ case: undefined }),
    ),
  })
  .map(({ field, test: to }) => condition(field, to));
const hostile = fc.letrec<{ tree: Init }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 12, depthSize: "large" },
    conditions,
    fc.array(tie("tree"), { maxLength: 4 }).map(all),
    tie("tree").map(not),
    fc
      .tuple(tie("tree"), fc.nat(3), fc.nat(9), fc.nat(9))
      .map(([event, subject, atLeast, atMost]) => behavior(event, { subject, atLeast, atMost })),
  ),
})).tree;

test("of 10,000 hostile filters each is SQL without its texts, or refused with its field", () => {
  const at = {
    merchantId: 1,
    traffic: raw("true"),
    time: raw("ts"),
    timeZone: "UTC",
    spanStart: raw("a"),
    spanEnd: raw("b"),
    isItem: false,
    wholes: () => empty,
    who: whoSql({ identity: "visitor" }, 0),
  };
  let [taken, longest] = [0, 0];
  fc.assert(
    fc.property(hostile, (init) => {
      const message = create(FilterSchema, init);
      const begin = performance.now();
      try {
        expect(filterSql(readFilter(message, find, "filter"), at).text).not.toContain("DROP");
        taken++;
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect(error).toMatchObject({ kind: "invalid", field: expect.stringMatching(/^filter/) });
        expect((error as Failure).message.length).toBeLessThan(3_000);
      }
      longest = Math.max(longest, performance.now() - begin);
    }),
    { numRuns: 10_000 },
  );
  expect(taken).toBeGreaterThan(100);
  expect(longest).toBeLessThan(500);
}, 120_000);

test("protobuf itself refuses what is nested without end", () => {
  const bytes = (depth: number): Uint8Array => {
    let inner: Uint8Array = toBinary(FilterSchema, create(FilterSchema, text("a")));
    for (let level = 0; level < depth; level++) {
      const length: number[] = [];
      for (let rest = inner.length; ; rest >>>= 7) {
        length.push(rest > 127 ? (rest & 127) | 128 : rest);
        if (rest <= 127) break;
      }
      inner = Uint8Array.from([0x1a, ...length, ...inner]);
    }
    return inner;
  };
  expect(refusal(() => readFilter(fromBinary(FilterSchema, bytes(50)), find, "filter"))).toBeInstanceOf(
    Failure,
  );
  expect(() => fromBinary(FilterSchema, bytes(2_000))).toThrow("maximum recursion depth");
});
