import {
  type Condition,
  type NumberTest,
  type TextTest,
  TextTest_Match,
} from "../../gen/footfall/query/v1/filter_pb.js";
import type { Test, TextMatch } from "../question/filter.ts";
import { RegexError } from "../regex/parse.ts";
import { postgresRegex } from "../regex/postgres.ts";
import { InvalidField } from "../time/invalid-field.ts";

/** What tests a field takes; either: texts, of which some are numbers. */
export type FieldType = "text" | "number" | "either";

const MAX_TEXT_LENGTH = 1_024;
const MAX_VALUES = 1_000;
const MAX_WILDCARDS = 20;

const MATCHES: Readonly<Record<number, TextMatch>> = {
  [TextTest_Match.UNSPECIFIED]: "exact",
  [TextTest_Match.EXACT]: "exact",
  [TextTest_Match.PREFIX]: "prefix",
  [TextTest_Match.SUFFIX]: "suffix",
  [TextTest_Match.CONTAINS]: "contains",
  [TextTest_Match.WILDCARD]: "wildcard",
  [TextTest_Match.REGEX]: "regex",
};

/** @param path of the condition. @throws InvalidField */
export function readTest(
  test: Exclude<Condition["test"], { case: undefined }>,
  type: FieldType,
  path: string,
): Test {
  const isOfTexts = test.case === "text" || test.case === "inList";
  if (test.case !== "isEmpty" && type !== "either" && isOfTexts !== (type === "text")) {
    const given = test.case === "inList" ? "in_list" : test.case;
    const allowed =
      type === "text"
        ? "text, in_list or is_empty: the field has texts"
        : "number or is_empty: the field has numbers";
    throw new InvalidField(`${path}.${given}`, given, allowed, "NOT_COMPATIBLE");
  }
  switch (test.case) {
    case "text":
      return readText(test.value, `${path}.text`);
    case "inList":
      return { kind: "in", values: readValues(test.value.values, `${path}.in_list.values`) };
    case "number":
      return readNumber(test.value, `${path}.number`);
    case "isEmpty":
      return { kind: "empty", isEmpty: test.value };
  }
}

/** Whether the database takes a compiled regular expression for it. */
export function isRegexInSql(test: Test): test is Extract<Test, { kind: "text" }> {
  return test.kind === "text" && (test.ignoreCase || test.match === "regex" || test.match === "wildcard");
}

function readText({ match, value, ignoreCase }: TextTest, path: string): Test {
  const name = MATCHES[match];
  if (name === undefined) throw new InvalidField(`${path}.match`, match, "one of those that Match has");
  checkText(value, `${path}.value`);
  if (name === "regex") checkRegex(value, ignoreCase, `${path}.value`);
  if (name === "wildcard" && value.split(/\*+/).length > MAX_WILDCARDS + 1) {
    throw new InvalidField(`${path}.value`, value, `a pattern of at most ${MAX_WILDCARDS} wildcards`);
  }
  return { kind: "text", match: name, value, ignoreCase };
}

function checkRegex(value: string, ignoreCase: boolean, field: string): void {
  try {
    postgresRegex(value, ignoreCase);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new InvalidField(field, value, `a regular expression in RE2's syntax: it ${error.message}`);
  }
}

function checkText(value: string, field: string): void {
  if (value === "") throw new InvalidField(field, value, "a text; is_empty tests for none");
  if (value.length > MAX_TEXT_LENGTH) {
    throw new InvalidField(
      field,
      `${value.length} characters`,
      `a text of at most ${MAX_TEXT_LENGTH} characters`,
    );
  }
  if (value.includes("\0") || !value.isWellFormed()) {
    throw new InvalidField(
      field,
      value.toWellFormed(),
      "a text without U+0000 and halves of surrogate pairs",
    );
  }
}

function readValues(values: readonly string[], field: string): readonly string[] {
  if (values.length === 0 || values.length > MAX_VALUES) {
    throw new InvalidField(field, `${values.length} texts`, `1 to ${MAX_VALUES} texts`);
  }
  values.forEach((value, at) => {
    checkText(value, `${field}[${at}]`);
  });
  return values;
}

function readNumber({ atLeast: min, lessThan: max, equals }: NumberTest, path: string): Test {
  if (min === undefined && max === undefined && equals === undefined) {
    throw new InvalidField(path, "none of these", "at_least, less_than or equals");
  }
  for (const [name, value] of Object.entries({ at_least: min, less_than: max, equals })) {
    if (value === undefined || Number.isFinite(value)) continue;
    throw new InvalidField(`${path}.${name}`, value, "a finite number");
  }
  return { kind: "number", min, max, equals };
}
