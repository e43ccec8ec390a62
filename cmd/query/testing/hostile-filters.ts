import fc from "fast-check";
import { ODD_TEXTS } from "../../../internal/query/testing/generate/events.ts";
import { CASED, hostileRegex, hostileText } from "./hostile-texts.ts";
import {
  count,
  dimensionName,
  dimensions,
  enumOf,
  type Json,
  names,
  number,
  often,
} from "./hostile-values.ts";

const MATCHES = ["EXACT", "PREFIX", "SUFFIX", "CONTAINS", "WILDCARD", "UNSPECIFIED"] as const;
const value = often(fc.constantFrom(...ODD_TEXTS, "a", "B", "page_view", "pro"), hostileText, 1);
const textTest = fc
  .record({
    test: fc.oneof(
      fc.record({ match: fc.constant("MATCH_REGEX" as Json), value: hostileRegex }),
      fc.record({ match: enumOf("MATCH", ...MATCHES), value }),
    ),
    ignoreCase: fc.boolean(),
  })
  .map(({ test, ignoreCase }) => ({ text: { ...test, ignoreCase } }));
const inList = often(
  fc.array(value, { minLength: 1, maxLength: 4 }),
  fc.constant(Array(1_001).fill("a")),
  30,
).map((values) => ({ inList: { values } }));
export const numberTest = fc
  .record({ atLeast: number, lessThan: number, equals: number }, { requiredKeys: [] })
  .map((test) => ({ number: test }));
export const isEmpty = fc.record({ isEmpty: fc.boolean() });

export const condition = (field: fc.Arbitrary<string>, ...tests: fc.Arbitrary<object>[]) =>
  fc.tuple(field, fc.oneof(...tests)).map(([name, test]) => ({ condition: { field: name, ...test } }));

const texts = names(dimensions.filter(({ type, filterable }) => type === "text" && filterable));
const ofTexts = condition(texts, textTest, textTest, inList, isEmpty);
const ofAnything = condition(dimensionName, textTest, inList, numberTest, isEmpty);
const leaf: fc.Arbitrary<Json> = often<Json>(ofTexts, ofAnything, 3);

export function nest(of: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const filters = fc.array(of, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 3, arbitrary: of },
    { weight: 1, arbitrary: filters.map((each) => ({ allOf: { filters: each } })) },
    { weight: 1, arbitrary: filters.map((each) => ({ anyOf: { filters: each } })) },
    { weight: 1, arbitrary: of.map((each) => ({ not: each })) },
  );
}

const behavior = fc
  .record(
    { subject: enumOf("SUBJECT", "SESSION", "VISITOR"), event: nest(leaf), atLeast: count, atMost: count },
    { requiredKeys: ["subject", "event"] },
  )
  .map((each) => ({ behavior: each }));

/** Levels upon levels. */
const deep = fc
  .tuple(fc.constantFrom(7, 8, 9, 50, 99, 101, 700), fc.constantFrom("not", "allOf", "behavior"), leaf)
  .map(([levels, kind, inner]) => {
    let filter = inner;
    for (let level = 0; level < levels; level++) {
      if (kind === "not") filter = { not: filter };
      else if (kind === "allOf") filter = { allOf: { filters: [filter] } };
      else filter = { behavior: { subject: "SUBJECT_VISITOR", event: filter } };
    }
    return filter;
  });
/** Longest filter, characters: what takes long to send holds the loop by itself, as the client is in the same process. */
const LONGEST = 1_000_000;
const wide = fc.tuple(fc.constantFrom(24, 25, 100, 101, 400), leaf).map(([most, each]) => {
  const count = Math.min(most, Math.ceil(LONGEST / JSON.stringify(each).length));
  return { anyOf: { filters: Array(count).fill(each) } };
});

/** As many regular expressions as a filter may have, and one more. */
const regexes = fc
  .uniqueArray(hostileRegex, { minLength: 20, maxLength: 25 })
  .map((values) =>
    values.map((text) => ({ condition: { field: "page", text: { match: "MATCH_REGEX", value: text } } })),
  )
  .map((filters) => ({ allOf: { filters } }));

/** Long texts that ignore case: as much as a filter may have of them, one character more, and far more. */
const longTexts = fc
  .record({
    length: fc.constantFrom(170, 171, 1_000),
    match: fc.constantFrom("EXACT", "CONTAINS", "WILDCARD"),
    shift: fc.nat(20),
  })
  .map(({ length, match, shift }) => {
    const textOf = (at: number) =>
      CASED.slice(at + shift, at + shift + length - 1) + (match === "WILDCARD" ? "*" : "ß");
    const test = (at: number) => ({ match: `MATCH_${match}`, value: textOf(at), ignoreCase: true });
    const filters = Array.from({ length: 24 }, (_, at) => ({ condition: { field: "page", text: test(at) } }));
    return { anyOf: { filters } };
  });

export const filter = fc.oneof(
  { weight: 16, arbitrary: nest(nest(leaf)) },
  { weight: 6, arbitrary: nest(often<Json>(leaf, behavior, 1)) },
  { weight: 2, arbitrary: fc.oneof(deep, wide, regexes) },
  { weight: 1, arbitrary: longTexts },
);
