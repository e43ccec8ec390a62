import { create } from "@bufbuild/protobuf";
import { Failure } from "../../failure/failure.ts";
import {
  Behavior_Subject,
  type Filter,
  FilterSchema,
  TextTest_Match as Match,
} from "../../gen/footfall/query/v1/filter_pb.js";
import { Scanner } from "./scanner.ts";

const MAX_LENGTH = 20_000;
/** More than the service takes: it says how many it does. */
const MAX_DEPTH = 30;

const MATCHES: Readonly<Record<string, Match>> = {
  "=": Match.EXACT,
  "^": Match.PREFIX,
  $: Match.SUFFIX,
  "@": Match.CONTAINS,
  "*": Match.WILDCARD,
  "~": Match.REGEX,
};
const SUBJECTS: Readonly<Record<string, Behavior_Subject>> = {
  session: Behavior_Subject.SESSION,
  visitor: Behavior_Subject.VISITOR,
};
const OPERATOR = /=in=|=out=|=empty=|=eq=|!=|>=|<=|>|<|=i?[=^$@*~]/y;

/**
 * Reads a filter as people write it, in the manner of RSQL: `country==DE;page=^/shop/` (docs/filters.md).
 * Whether its fields are there and take such tests, the service says.
 *
 * @throws Failure "invalid" that names the place.
 */
export function parseFilter(text: string): Filter {
  if (text.length > MAX_LENGTH) {
    throw new Failure(
      "invalid",
      `a filter of ${text.length} characters is too long: ${MAX_LENGTH} are allowed`,
    );
  }
  const scanner = new Scanner(text);
  const filter = any(scanner, 1);
  scanner.end();
  return filter;
}

function any(scanner: Scanner, depth: number): Filter {
  if (depth > MAX_DEPTH) throw scanner.expected(`at most ${MAX_DEPTH} parentheses in one another`);
  return list(scanner, ",", "anyOf", () => list(scanner, ";", "allOf", () => single(scanner, depth)));
}

function list(scanner: Scanner, separator: string, kind: "anyOf" | "allOf", read: () => Filter): Filter {
  const filters = [read()];
  while (scanner.take(separator)) filters.push(read());
  if (filters.length === 1) return filters[0]!;
  return made({ case: kind, value: { $typeName: "footfall.query.v1.FilterList", filters } });
}

function single(scanner: Scanner, depth: number): Filter {
  if (scanner.take("!(")) return not(inParentheses(scanner, depth));
  if (scanner.take("(")) return inParentheses(scanner, depth);
  const field = scanner.field();
  const subject = SUBJECTS[field];
  if (subject !== undefined && scanner.take("(")) return behavior(scanner, subject, depth);
  const operator = scanner.match(OPERATOR)?.[0];
  if (operator === undefined) throw scanner.expected("an operator such as == or =^");
  return condition(scanner, field, operator);
}

function inParentheses(scanner: Scanner, depth: number): Filter {
  const filter = any(scanner, depth + 1);
  if (!scanner.take(")")) throw scanner.expected(")");
  return filter;
}

/** Behind the parenthesis may be how often: {least,most}, {least,} or {exactly}. */
function behavior(scanner: Scanner, subject: Behavior_Subject, depth: number): Filter {
  const event = inParentheses(scanner, depth);
  const counts = scanner.match(/\{(\d{1,9})(,(\d{0,9}))?\}/y);
  const value: { subject: Behavior_Subject; event: Filter; atLeast?: number; atMost?: number } = {
    subject,
    event,
  };
  if (counts !== undefined) {
    const [, least, comma, most] = counts;
    value.atLeast = Number(least);
    if (comma === undefined) value.atMost = Number(least);
    else if (most !== "") value.atMost = Number(most);
  }
  return create(FilterSchema, { expression: { case: "behavior", value } });
}

function condition(scanner: Scanner, field: string, operator: string): Filter {
  switch (operator) {
    case "=in=":
      return inList(field, scanner.values());
    case "=out=":
      return not(inList(field, scanner.values()));
    case "=empty=":
      return isEmpty(scanner, field);
    case "!=":
      return not(textTest(field, "=", scanner.value(), false));
    case "=eq=":
      return number(field, { equals: scanner.number() });
    case ">=":
      return number(field, { atLeast: scanner.number() });
    case "<":
      return number(field, { lessThan: scanner.number() });
    case ">":
    case "<=":
      return beyond(field, operator, scanner.number());
    default:
      return textTest(field, operator.at(-1)!, scanner.value(), operator[1] === "i");
  }
}

/** Ranges have their least end and not their most: `<=` is below or equal, and `>` is not that, where there is a value. */
function beyond(field: string, operator: ">" | "<=", value: number): Filter {
  if (operator === "<=") {
    return create(FilterSchema, {
      expression: {
        case: "anyOf",
        value: { filters: [number(field, { lessThan: value }), number(field, { equals: value })] },
      },
    });
  }
  return create(FilterSchema, {
    expression: {
      case: "allOf",
      value: { filters: [number(field, { atLeast: value }), not(number(field, { equals: value }))] },
    },
  });
}

function isEmpty(scanner: Scanner, field: string): Filter {
  const value = scanner.value();
  if (value !== "true" && value !== "false") throw scanner.expected("true or false before it");
  return create(FilterSchema, {
    expression: { case: "condition", value: { field, test: { case: "isEmpty", value: value === "true" } } },
  });
}

function textTest(field: string, match: string, value: string, ignoreCase: boolean): Filter {
  const test = { case: "text" as const, value: { match: MATCHES[match]!, value, ignoreCase } };
  return create(FilterSchema, { expression: { case: "condition", value: { field, test } } });
}

function inList(field: string, values: string[]): Filter {
  const test = { case: "inList" as const, value: { values } };
  return create(FilterSchema, { expression: { case: "condition", value: { field, test } } });
}

function number(
  field: string,
  value: { atLeast: number } | { lessThan: number } | { equals: number },
): Filter {
  const test = { case: "number" as const, value };
  return create(FilterSchema, { expression: { case: "condition", value: { field, test } } });
}

function not(value: Filter): Filter {
  return made({ case: "not", value });
}

function made(expression: Filter["expression"]): Filter {
  return create(FilterSchema, { expression });
}
