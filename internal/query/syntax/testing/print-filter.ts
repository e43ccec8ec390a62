import {
  Behavior_Subject,
  type Filter,
  TextTest_Match as Match,
} from "../../../gen/footfall/query/v1/filter_pb.js";

const SIGNS: Readonly<Record<number, string>> = {
  [Match.EXACT]: "=",
  [Match.PREFIX]: "^",
  [Match.SUFFIX]: "$",
  [Match.CONTAINS]: "@",
  [Match.WILDCARD]: "*",
  [Match.REGEX]: "~",
};

/** A filter as people write it, of tests of numbers with one end. */
export function printFilter({ expression }: Filter): string {
  switch (expression.case) {
    case "allOf":
    case "anyOf":
      return `(${expression.value.filters.map(printFilter).join(expression.case === "allOf" ? " ; " : ",")})`;
    case "not":
      return `!(${printFilter(expression.value)})`;
    case "behavior": {
      const { subject, event, atLeast, atMost } = expression.value;
      const counts = atLeast === undefined ? "" : `{${atLeast},${atMost ?? ""}}`;
      return `${subject === Behavior_Subject.SESSION ? "session" : "visitor"}(${printFilter(event!)})${counts}`;
    }
    case "condition":
      return `${quoted(expression.value.field)}${printTest(expression.value.test)}`;
    default:
      throw new TypeError("a filter of nothing");
  }
}

function printTest(test: Extract<Filter["expression"], { case: "condition" }>["value"]["test"]): string {
  switch (test.case) {
    case "text": {
      const { match, value, ignoreCase } = test.value;
      return `=${ignoreCase ? "i" : ""}${SIGNS[match]}${quoted(value)}`;
    }
    case "inList":
      return `=in=(${test.value.values.map(quoted).join(", ")})`;
    case "isEmpty":
      return `=empty=${test.value}`;
    case "number": {
      const { atLeast, lessThan, equals } = test.value;
      if (atLeast !== undefined) return `>=${atLeast}`;
      return lessThan !== undefined ? `<${lessThan}` : `=eq=${equals}`;
    }
    default:
      throw new TypeError("a condition without a test");
  }
}

function quoted(text: string): string {
  return /^[\w:/.-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
