import { Behavior_Subject, type Filter as Message } from "../../gen/footfall/query/v1/filter_pb.js";
import type { Behavior, Expression, Filter, MetricFilter } from "../question/filter.ts";
import type { Dimension, Metric } from "../schema/field.ts";
import { InvalidField } from "../time/invalid-field.ts";
import { missing } from "./field-errors.ts";
import { type FieldType, isRegexInSql, readTest } from "./read-test.ts";

/** Most conditions and behaviors of a filter, and most levels; what is within behaviors counts too. */
export const MAX_CONDITIONS = 100;
export const MAX_LEVELS = 8;
/** Most conditions that take a regular expression in the database, which keeps 32 compiled: more are made for each row. */
export const MAX_REGEXES = 24;
/** Most characters of their texts together: each is a class of characters where case is ignored. */
const MAX_PATTERN_LENGTH = 4_096;
const MAX_NAME_LENGTH = 200;

type FindDimension = (name: string) => Dimension | undefined;

/**
 * Reads a filter of events.
 *
 * @param find a dimension by its name.
 * @param path of the filter in the request, such as "scope.filter".
 * @throws Failure "invalid" that names the field.
 */
export function readFilter(message: Message, find: FindDimension, path: string): Filter {
  return filterReader(find)(message, path);
}

/** As readFilter, for several filters of a question: they have the bounds of one together. */
export function filterReader(find: FindDimension): (message: Message, path: string) => Filter {
  const findFilterable = (name: string, field: string) => {
    const dimension = find(name);
    if (dimension === undefined) throw unknown(field, name, "dimension that GetMetadata lists");
    if (!dimension.filterable || dimension.type === "bucket") {
      throw new InvalidField(field, name, "a dimension that can be filtered by", "NOT_COMPATIBLE");
    }
    return { field: dimension, type: dimension.number === undefined ? dimension.type : ("either" as const) };
  };
  const reader: Reader<Dimension> = new Reader(findFilterable, (behavior, at, level) =>
    readBehavior(behavior, at, (event, where) => reader.read(event, where, level + 1, true)),
  );
  return (message, path) => reader.read(message, path, 1, false);
}

/** Reads a filter of rows, by metrics. @param find a metric of the question by its name. @throws as readFilter. */
export function readMetricFilter(
  message: Message,
  find: (name: string) => Metric | undefined,
  path: string,
): MetricFilter {
  const findMetric = (name: string, field: string) => {
    const metric = find(name);
    if (metric === undefined) throw unknown(field, name, "metric of the question");
    return { field: metric, type: "number" as const };
  };
  const refuse = (_: unknown, at: string) => {
    throw new InvalidField(at, "behavior", "absent in a filter of metrics", "NOT_COMPATIBLE");
  };
  return new Reader<Metric>(findMetric, refuse).read(message, path, 1, false);
}

function unknown(field: string, name: string, what: string): InvalidField {
  return new InvalidField(field, name, `the name of a ${what}`, "FIELD_UNKNOWN");
}

type Wire<Case extends string> = Extract<Message["expression"], { case: Case }>["value"];
type Find<F> = (name: string, field: string) => { readonly field: F; readonly type: FieldType };
type ReadBehavior = (behavior: Wire<"behavior">, path: string, level: number) => Behavior;

/** Reads one filter, level by level: what is deeper than it may be is not looked at. */
class Reader<F> {
  readonly #find: Find<F>;
  readonly #readBehavior: ReadBehavior;
  #conditions = 0;
  #regexes = 0;
  #patternLength = 0;

  constructor(find: Find<F>, behavior: ReadBehavior) {
    this.#find = find;
    this.#readBehavior = behavior;
  }

  read({ expression }: Message, path: string, level: number, isInBehavior: boolean): Expression<F> {
    if (level > MAX_LEVELS) throw new InvalidField(path, `level ${level}`, `within ${MAX_LEVELS} levels`);
    switch (expression.case) {
      case "allOf":
      case "anyOf": {
        const at = `${path}.${expression.case === "allOf" ? "all_of" : "any_of"}`;
        const of = this.#list(expression.value.filters, at, level, isInBehavior);
        return { kind: expression.case === "allOf" ? "all" : "any", of };
      }
      case "not":
        return { kind: "not", of: this.read(expression.value, `${path}.not`, level + 1, isInBehavior) };
      case "condition":
        return this.#condition(expression.value, `${path}.condition`);
      case "behavior":
        this.#count(`${path}.behavior`);
        if (!isInBehavior) return this.#readBehavior(expression.value, `${path}.behavior`, level);
        throw new InvalidField(`${path}.behavior`, "behavior", "absent within a behavior", "NOT_COMPATIBLE");
      default:
        throw missing(path, "one of all_of, any_of, not, condition and behavior");
    }
  }

  #list(filters: readonly Message[], path: string, level: number, isInBehavior: boolean): Expression<F>[] {
    if (filters.length === 0) throw missing(`${path}.filters`, `1 to ${MAX_CONDITIONS} filters`);
    if (filters.length > MAX_CONDITIONS) {
      throw new InvalidField(
        `${path}.filters`,
        `${filters.length} filters`,
        `1 to ${MAX_CONDITIONS} filters`,
      );
    }
    return filters.map((one, at) => this.read(one, `${path}.filters[${at}]`, level + 1, isInBehavior));
  }

  #condition({ field: name, test: message }: Wire<"condition">, path: string): Expression<F> {
    this.#count(path);
    if (name === "") throw missing(`${path}.field`, "the name of a field");
    if (name.length > MAX_NAME_LENGTH)
      throw unknown(`${path}.field`, name.slice(0, MAX_NAME_LENGTH), "field");
    const { field, type } = this.#find(name, `${path}.field`);
    if (message.case === undefined) throw missing(path, "a test: text, in_list, number or is_empty");
    const test = readTest(message, type, path);
    if (isRegexInSql(test)) this.#countRegex(test.value, path);
    return { kind: "test", field, test };
  }

  #countRegex(pattern: string, path: string): void {
    const such = "that are regular expressions, wildcards or ignore case";
    if (++this.#regexes > MAX_REGEXES) {
      throw new InvalidField(path, `number ${this.#regexes}`, `one of at most ${MAX_REGEXES} ${such}`);
    }
    this.#patternLength += pattern.length;
    if (this.#patternLength > MAX_PATTERN_LENGTH) {
      const allowed = `at most ${MAX_PATTERN_LENGTH} characters in all conditions ${such}`;
      throw new InvalidField(`${path}.text.value`, `${this.#patternLength} characters`, allowed);
    }
  }

  #count(path: string): void {
    if (++this.#conditions <= MAX_CONDITIONS) return;
    const allowed = `one of at most ${MAX_CONDITIONS} conditions and behaviors`;
    throw new InvalidField(path, `number ${this.#conditions}`, allowed);
  }
}

/** at_most alone means "from none on": with 0, who did not do it. */
function readBehavior(
  { subject, event, atMost, atLeast = atMost === undefined ? 1 : 0 }: Wire<"behavior">,
  path: string,
  readEvent: (event: Message, path: string) => Filter,
): Behavior {
  const name = SUBJECTS[subject];
  if (name === undefined) {
    throw new InvalidField(`${path}.subject`, subject, "SUBJECT_SESSION or SUBJECT_VISITOR");
  }
  if (event === undefined) throw missing(`${path}.event`, "a filter of events");
  if (atMost !== undefined && atMost < atLeast) {
    throw new InvalidField(`${path}.at_most`, atMost, `at_least (${atLeast}) or more`);
  }
  return { kind: "behavior", subject: name, event: readEvent(event, `${path}.event`), atLeast, atMost };
}

/** By the wire's number, of which there may be others. */
const SUBJECTS: Readonly<Record<number, Behavior["subject"]>> = {
  [Behavior_Subject.SESSION]: "session",
  [Behavior_Subject.VISITOR]: "visitor",
};
