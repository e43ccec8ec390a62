import { setImmediate } from "node:timers/promises";
import { type Condition, type Filter, TextTest_Match } from "../../gen/footfall/query/v1/filter_pb.js";
import { RegexError } from "../regex/parse.ts";
import { postgresRegex } from "../regex/postgres.ts";
import { MAX_LEVELS, MAX_REGEXES } from "./read-filter.ts";

/** The conditions of a filter that was not read yet; what is deeper than a filter may be is left out. */
export function conditionsOf(filter: Filter | undefined, levels = MAX_LEVELS): Condition[] {
  const { expression } = filter ?? {};
  if (levels === 0) return [];
  switch (expression?.case) {
    case "allOf":
    case "anyOf":
      return expression.value.filters.flatMap((each) => conditionsOf(each, levels - 1));
    case "not":
      return conditionsOf(expression.value, levels - 1);
    case "condition":
      return [expression.value];
    case "behavior":
      return conditionsOf(expression.value.event, levels - 1);
    default:
      return [];
  }
}

/**
 * Writes a filter's regular expressions for the database before the filter is read, so that they are known then: one takes
 * up to 5 ms, and others have their turn between two. What is wrong with one is told when the filter is read.
 */
export async function writeRegexes(filter: Filter | undefined): Promise<void> {
  const tests = conditionsOf(filter).flatMap(({ test }) => (test.case === "text" ? [test.value] : []));
  const regexes = tests.filter(({ match }) => match === TextTest_Match.REGEX).slice(0, MAX_REGEXES);
  for (const { value, ignoreCase } of regexes) {
    try {
      postgresRegex(value, ignoreCase);
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
    }
    await setImmediate();
  }
}
