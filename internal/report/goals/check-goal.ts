import type { NewGoal } from "../../store/goals/goals.ts";
import { InvalidInput } from "../errors.ts";

const LONGEST = {
  /** Characters of a goal's name. */
  name: 100,
  /** Characters, as of an event's name. */
  eventName: 256,
  /** Characters of a pattern. */
  pattern: 512,
} as const;

/** Most stars of a pattern, `**` counted as one: each is one more place at which to try a page. */
const MAX_WILDCARDS = 16;

/** A thousand million units of a currency, as an event's amount. */
const MAX_VALUE_MICROS = 1_000_000_000_000_000n;

/**
 * A goal that may be made.
 *
 * @throws InvalidInput naming "name", "event_name", "page_pattern" or "value_micros", and what was given.
 */
export function checkGoal(goal: NewGoal): NewGoal {
  const { name, eventName, pagePattern, valueMicros } = goal;
  refuse("name", name, problemOfName(name));
  if (eventName === undefined && pagePattern === undefined) {
    throw new InvalidInput("event_name", undefined, "or page_pattern is required: what reaches the goal");
  }
  if (eventName !== undefined) refuse("event_name", eventName, problemOfEventName(eventName));
  if (pagePattern !== undefined) refuse("page_pattern", pagePattern, problemOfPattern(pagePattern));
  if (valueMicros !== undefined && (valueMicros < 0n || valueMicros > MAX_VALUE_MICROS)) {
    throw new InvalidInput("value_micros", valueMicros, `is outside of 0 to ${MAX_VALUE_MICROS}`);
  }
  return goal;
}

function refuse(field: string, value: string, problem: string | undefined): void {
  if (problem !== undefined) throw new InvalidInput(field, value, problem);
}

function problemOfName(name: string): string | undefined {
  if (name.trim() === "") return "is empty";
  if (name !== name.trim()) return "begins or ends with a space";
  if (/\p{Cc}/u.test(name)) return "holds a control character";
  if ([...name].length > LONGEST.name) return `is longer than ${LONGEST.name} characters`;
  return undefined;
}

function problemOfEventName(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.includes("\0")) return "holds U+0000";
  if ([...name].length > LONGEST.eventName) return `is longer than ${LONGEST.eventName} characters`;
  return undefined;
}

/** What a page can never match is a mistake: better told than counted as 0 for ever. */
function problemOfPattern(pattern: string): string | undefined {
  if (!/^(\/|\*\*)/.test(pattern)) return 'begins with neither "/" nor "**", and no page would match';
  const outside = /[?#\0]/.exec(pattern)?.[0];
  if (outside !== undefined) return `holds ${JSON.stringify(outside)}, which no page has: it is a path alone`;
  if (/\*{3}/.test(pattern)) return "holds three stars in a row";
  if ([...pattern].length > LONGEST.pattern) return `is longer than ${LONGEST.pattern} characters`;
  if ((pattern.match(/\*+/g)?.length ?? 0) > MAX_WILDCARDS) return `has more than ${MAX_WILDCARDS} wildcards`;
  return undefined;
}
