import sql, { join, type Sql } from "sql-template-tag";
import type { Test } from "../question/filter.ts";
import type { Node } from "../regex/parse.ts";
import { postgresRegex, writeRegex } from "../regex/postgres.ts";
import { escapeLike, matchesWildcard, type Piece, wildcardPieces } from "./wildcard.ts";

type TextTest = Extract<Test, { kind: "text" }>;

/**
 * SQL of a test of one value; null or false where the value is absent, `empty` apart.
 *
 * @param value a text, of which an empty one is absent too, or a number; null: absent.
 */
export function testSql(value: Sql, type: "text" | "number", test: Test): Sql {
  switch (test.kind) {
    case "text":
      return textSql(value, test);
    case "in":
      return sql`${value} = ANY(${test.values.filter((one) => one !== "")}::text[])`;
    case "number":
      return numberSql(value, test);
    case "empty": {
      const isEmpty = type === "text" ? sql`coalesce(${value} = '', true)` : sql`${value} IS NULL`;
      return test.isEmpty ? isEmpty : sql`NOT ${isEmpty}`;
    }
  }
}

function numberSql(value: Sql, { min, max, equals }: Extract<Test, { kind: "number" }>): Sql {
  const parts = [
    ...(min === undefined ? [] : [sql`${value} >= ${min}::float8`]),
    ...(max === undefined ? [] : [sql`${value} < ${max}::float8`]),
    ...(equals === undefined ? [] : [sql`${value} = ${equals}::float8`]),
  ];
  return parts.length === 0 ? sql`${value} IS NOT NULL` : sql`(${join(parts, " AND ")})`;
}

/** Regular expressions of tests, each of which is in several places of a statement. */
const regexes = new WeakMap<TextTest, string>();

function regexFor(test: TextTest): string {
  let regex = regexes.get(test);
  if (regex === undefined) {
    regex = test.match === "regex" ? postgresRegex(test.value, test.ignoreCase) : writeRegex(regexOf(test));
    regexes.set(test, regex);
  }
  return regex;
}

function textSql(value: Sql, test: TextTest): Sql {
  if (test.match === "regex" || test.ignoreCase) {
    return sql`(${value} <> '' AND ${value} ~ ${regexFor(test)}::text)`;
  }
  switch (test.match) {
    case "exact":
      return sql`(${value} <> '' AND ${value} = ${test.value}::text)`;
    case "prefix":
      return likeSql(value, `${escapeLike(test.value)}%`);
    case "suffix":
      return likeSql(value, `%${escapeLike(test.value)}`);
    case "contains":
      return likeSql(value, `%${escapeLike(test.value)}%`);
    case "wildcard":
      return sql`(${value} <> '' AND ${matchesWildcard(value, test.value)})`;
  }
}

function likeSql(value: Sql, pattern: string): Sql {
  return sql`(${value} <> '' AND ${value} LIKE ${pattern}::text)`;
}

const NO_SLASHES: Node = {
  kind: "repeat",
  of: { kind: "set", source: "[^/]", ignoreCase: false },
  min: 0,
  max: undefined,
};
const ANYTHING: Node = { kind: "repeat", of: { kind: "any", newline: true }, min: 0, max: undefined };
const START: Node = { kind: "assert", what: "text_start" };
const END: Node = { kind: "assert", what: "text_end" };

/** A test that is no regular expression, as one. Case is ignored as RE2 does, whatever the database's locale. */
function regexOf({ match, value, ignoreCase }: TextTest): Node {
  const parts: readonly Piece[] =
    match === "wildcard" ? wildcardPieces(value) : [{ kind: "text", text: value }];
  const nodes = parts.flatMap((part): Node[] => {
    if (part.kind !== "text") return [part.kind === "any" ? ANYTHING : NO_SLASHES];
    return [...part.text].map((char) => ({ kind: "char", code: char.codePointAt(0)!, ignoreCase }));
  });
  const isAtStart = match === "exact" || match === "prefix" || match === "wildcard";
  const isAtEnd = match === "exact" || match === "suffix" || match === "wildcard";
  return { kind: "sequence", of: [...(isAtStart ? [START] : []), ...nodes, ...(isAtEnd ? [END] : [])] };
}
