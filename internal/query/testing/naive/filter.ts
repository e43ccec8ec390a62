import type { Behavior, Expression, Filter, Test, TextMatch } from "../../question/filter.ts";
import { hasItemValues, testedValues } from "./dimensions.ts";
import type { StoredEvent } from "./event.ts";
import { fitsWildcard } from "./wildcard.ts";
import type { Seen, World } from "./world.ts";

/**
 * Whether a filter lets an event, or an item of it, through. Of an event's items one must pass a test of items; of an
 * item it is the item itself.
 */
export function passes(filter: Filter | undefined, seen: Seen, world: World): boolean {
  if (filter === undefined) return true;
  return holds(
    filter,
    ({ name }, test) => {
      const candidates: readonly Seen[] =
        hasItemValues(name) && seen.item === undefined
          ? seen.event.items.map((item) => ({ event: seen.event, item }))
          : [seen];
      return candidates.some((one) =>
        testedValues(name, test.kind, one, world).some((value) => passesTest(value, test)),
      );
    },
    (behavior) => didSo(behavior, seen.event, world),
  );
}

function didSo({ subject, event, atLeast, atMost }: Behavior, of: StoredEvent, world: World): boolean {
  const events = subject === "session" ? world.session(of).events : world.visitor(of);
  const count = events.filter((each) => passes(event, { event: each, item: undefined }, world)).length;
  return count >= atLeast && count <= (atMost ?? Number.POSITIVE_INFINITY);
}

/** Whether an expression holds, by what its tests and behaviors say. */
export function holds<F>(
  expression: Expression<F>,
  ofTest: (field: F, test: Test) => boolean,
  ofBehavior: (behavior: Behavior) => boolean,
): boolean {
  const inner = (one: Expression<F>) => holds(one, ofTest, ofBehavior);
  switch (expression.kind) {
    case "all":
      return expression.of.every(inner);
    case "any":
      return expression.of.some(inner);
    case "not":
      return !inner(expression.of);
    case "test":
      return ofTest(expression.field, expression.test);
    case "behavior":
      return ofBehavior(expression);
  }
}

/** Whether a value passes; one that is absent passes `empty` alone. */
export function passesTest(value: string | number | null, test: Test): boolean {
  if (test.kind === "empty") return (value === null) === test.isEmpty;
  if (value === null) return false;
  switch (test.kind) {
    case "text":
      return matches(String(value), test);
    case "in":
      return test.values.includes(String(value));
    case "number": {
      const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, equals = value } = test;
      return Number(value) >= min && Number(value) < max && value === equals;
    }
  }
}

const MATCHES: Readonly<Record<Exclude<TextMatch, "regex">, (text: string, value: string) => boolean>> = {
  exact: (text, value) => text === value,
  prefix: (text, value) => text.startsWith(value),
  suffix: (text, value) => text.endsWith(value),
  contains: (text, value) => text.includes(value),
  wildcard: fitsWildcard,
};

function matches(text: string, { match, value, ignoreCase }: Extract<Test, { kind: "text" }>): boolean {
  if (match === "regex") return new RegExp(value, ignoreCase ? "ui" : "u").test(text);
  const fold = (one: string) => (ignoreCase ? one.toLowerCase() : one);
  return MATCHES[match](fold(text), fold(value));
}
