import { create, equals, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Failure } from "../../failure/failure.ts";
import { FilterSchema } from "../../gen/footfall/query/v1/filter_pb.js";
import { parseFilter } from "./parse-filter.ts";
import { printFilter } from "./testing/print-filter.ts";

type Init = MessageInitShape<typeof FilterSchema>;

const json = (text: string) => toJson(FilterSchema, parseFilter(text)) as object;
const textTest = (field: string, match: string, value: string) => ({
  condition: { field, text: { match: `MATCH_${match}`, value } },
});

test.each<[string, object]>([
  ["country==DE", textTest("country", "EXACT", "DE")],
  ["country != DE", { not: textTest("country", "EXACT", "DE") }],
  ["page=^/shop/", textTest("page", "PREFIX", "/shop/")],
  ["page=$.html", textTest("page", "SUFFIX", ".html")],
  ["title=@hello world ", textTest("title", "CONTAINS", "hello world")],
  ["page=*/**/x", textTest("page", "WILDCARD", "/**/x")],
  ["page=~^/a\\d+$", textTest("page", "REGEX", "^/a\\d+$")],
  ['page=~"^/(a|b)\\d"', textTest("page", "REGEX", "^/(a|b)\\d")],
  ["country=in=(DE,FR)", { condition: { field: "country", inList: { values: ["DE", "FR"] } } }],
  ["country=out=(DE)", { not: { condition: { field: "country", inList: { values: ["DE"] } } } }],
  ["value>=10", { condition: { field: "value", number: { atLeast: 10 } } }],
  ["value=eq=-1.5e3", { condition: { field: "value", number: { equals: -1500 } } }],
  ["title=empty=true", { condition: { field: "title", isEmpty: true } }],
  [
    "city=i=köln",
    { condition: { field: "city", text: { match: "MATCH_EXACT", value: "köln", ignoreCase: true } } },
  ],
  ["property:plan==pro", textTest("property:plan", "EXACT", "pro")],
  [
    "a==1;b==2,c==3",
    {
      anyOf: {
        filters: [
          { allOf: { filters: [textTest("a", "EXACT", "1"), textTest("b", "EXACT", "2")] } },
          textTest("c", "EXACT", "3"),
        ],
      },
    },
  ],
  [
    "a==1;(b==2,c==3)",
    {
      allOf: {
        filters: [
          textTest("a", "EXACT", "1"),
          { anyOf: { filters: [textTest("b", "EXACT", "2"), textTest("c", "EXACT", "3")] } },
        ],
      },
    },
  ],
  [
    "session(event_name==purchase){0}",
    {
      behavior: {
        subject: "SUBJECT_SESSION",
        event: textTest("event_name", "EXACT", "purchase"),
        atLeast: 0,
        atMost: 0,
      },
    },
  ],
  ["visitor(page==/)", { behavior: { subject: "SUBJECT_VISITOR", event: textTest("page", "EXACT", "/") } }],
])("%s", (text, filter) => {
  expect(json(text)).toEqual(filter);
});

test.each([
  ["", "at the end: there must be the name of a field"],
  ["country", "at the end: there must be an operator"],
  ["country==", "at the end: there must be a value"],
  ["country==DE)", 'at character 12, before ")"'],
  ["(country==DE", "at the end: there must be )"],
  ["value>=ten", 'before "ten": there must be a number'],
  ["title=empty=maybe", "true or false"],
  ["country=in=DE", "a list such as (a,b)"],
  ["(".repeat(5_000), "at most 30 parentheses"],
  ["x".repeat(20_001), "too long"],
])("refuses %.20s", (text, message) => {
  expect(() => parseFilter(text)).toThrow(message);
});

const text = fc.oneof(
  fc.constantFrom("DE", "a b", "it's", '"', "\\", '\\"', "a,b;(c)", "é😀", "=~", " x "),
  fc.string({ minLength: 1 }),
);
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const conditions: fc.Arbitrary<Init> = fc
  .record({
    field: fc.oneof(fc.constantFrom("page", "session", "property:a=b"), text),
    test: fc.oneof(
      fc.record({
        case: fc.constant("text"),
        value: fc.record({ match: fc.integer({ min: 1, max: 6 }), value: text, ignoreCase: fc.boolean() }),
      }),
      fc.record({
        case: fc.constant("inList"),
        value: fc.record({ values: fc.array(text, { minLength: 1 }) }),
      }),
      fc
        .tuple(fc.constantFrom("atLeast", "lessThan", "equals"), number)
        .map(([name, value]) => ({ case: "number", value: { [name]: value } })),
      fc.record({ case: fc.constant("isEmpty"), value: fc.boolean() }),
    ),
  })
  .map((value) => ({ expression: { case: "condition", value: value as never } }));
const filters = fc.letrec<{ tree: Init }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    conditions,
    fc
      .tuple(
        fc.constantFrom("allOf" as const, "anyOf" as const),
        fc.array(tie("tree"), { minLength: 2, maxLength: 4 }),
      )
      .map(([kind, list]): Init => ({ expression: { case: kind, value: { filters: list } } })),
    tie("tree").map((value): Init => ({ expression: { case: "not", value } })),
    fc
      .tuple(
        tie("tree"),
        fc.constantFrom(1, 2),
        fc.constantFrom({}, { atLeast: 2 }, { atLeast: 0, atMost: 3 }),
      )
      .map(
        ([event, subject, counts]): Init => ({
          expression: { case: "behavior", value: { subject, event, ...counts } },
        }),
      ),
  ),
})).tree;

test("what is printed is read as it was", () => {
  fc.assert(
    fc.property(filters, (init) => {
      const filter = create(FilterSchema, init);
      expect(equals(FilterSchema, parseFilter(printFilter(filter)), filter)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("whatever is given is read or refused", () => {
  const pieces = fc.array(
    fc.constantFrom(
      "(",
      ")",
      "!(",
      ";",
      ",",
      "==",
      "=in=(",
      "a",
      "'",
      '"',
      "\\",
      " ",
      "session(",
      "{1,}",
      ">",
      "=~",
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        pieces.map((list) => list.join("")),
      ),
      (given) => {
        try {
          parseFilter(given);
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      },
    ),
    { numRuns: 5_000 },
  );
});
