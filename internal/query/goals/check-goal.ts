import type { NewGoal } from "../../store/goals.ts";
import { InvalidField } from "../time/invalid-field.ts";

/** What the caller calls the fields of a goal: messages name them. */
export type GoalFields = Readonly<Record<keyof NewGoal, string>>;

const LONGEST = {
  /** Characters of a goal's name. */
  name: 256,
  /** Characters, as of an event's name. */
  eventName: 256,
  /** Characters of a pattern. */
  pattern: 512,
} as const;

/** Most stars of a pattern, `**` counted as one: each is one more place at which to try a page. */
const MAX_WILDCARDS = 16;

/** A thousand million units of a currency, as an event's amount. */
const MAX_VALUE_MICROS = 1_000_000_000_000_000n;

/** A goal that may be made. @throws InvalidField for the first field that may not be as it is. */
export function checkGoal(goal: NewGoal, fields: GoalFields): NewGoal {
  const { name, eventName, pagePattern, valueMicros } = goal;
  check(fields.name, name, allowedInName(name));
  if (eventName === undefined && pagePattern === undefined) {
    const allowed = `given where ${fields.pagePattern} is not: what reaches the goal`;
    throw new InvalidField(fields.eventName, "", allowed, "FIELD_MISSING");
  }
  if (eventName !== undefined) check(fields.eventName, eventName, allowedInEventName(eventName));
  if (pagePattern !== undefined) check(fields.pagePattern, pagePattern, allowedInPattern(pagePattern));
  if (valueMicros !== undefined && (valueMicros < 0n || valueMicros > MAX_VALUE_MICROS)) {
    throw new InvalidField(fields.valueMicros, String(valueMicros), `0 to ${MAX_VALUE_MICROS}`);
  }
  return goal;
}

/** @param allowed undefined where the value is. */
function check(field: string, value: string, allowed: string | undefined): void {
  if (allowed === undefined) return;
  const told = value.replaceAll(/\p{Cc}/gu, "\u{fffd}").toWellFormed();
  throw new InvalidField(field, told, allowed);
}

function allowedInName(name: string): string | undefined {
  if (name === "" || name !== name.trim()) return "a text that neither begins nor ends with a space";
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) return "without control characters";
  if ([...name].length > LONGEST.name) return `at most ${LONGEST.name} characters long`;
  return undefined;
}

function allowedInEventName(name: string): string | undefined {
  if (name === "") return "a text";
  if (name.includes("\0") || !name.isWellFormed()) return "without U+0000 and halves of surrogate pairs";
  if ([...name].length > LONGEST.eventName) return `at most ${LONGEST.eventName} characters long`;
  return undefined;
}

/** What a page can never match is a mistake: better told than counted as 0 for ever. */
function allowedInPattern(pattern: string): string | undefined {
  if (!/^(\/|\*\*)/.test(pattern)) return 'a path that begins with "/" or "**"';
  if (/[?#\0]/.test(pattern) || !pattern.isWellFormed()) return 'a path alone, without "?", "#" and U+0000';
  if (/\*{3}/.test(pattern)) return "without three stars in a row";
  if ([...pattern].length > LONGEST.pattern) return `at most ${LONGEST.pattern} characters long`;
  if ((pattern.match(/\*+/g)?.length ?? 0) > MAX_WILDCARDS)
    return `one of at most ${MAX_WILDCARDS} wildcards`;
  return undefined;
}
