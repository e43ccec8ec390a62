import type { FieldMask } from "@bufbuild/protobuf/wkt";
import type * as wire from "../../../gen/footfall/query/v1/goals_pb.js";
import type { NewGoal } from "../../../store/goals.ts";
import { checkGoal, type GoalFields } from "../../goals/check-goal.ts";
import { InvalidField } from "../../time/invalid-field.ts";
import { missing } from "../field-errors.ts";

/** Paths of the fields in a request that has a goal. */
export const PATHS: GoalFields = {
  name: "goal.display_name",
  eventName: "goal.event_name",
  pagePattern: "goal.page_pattern",
  valueMicros: "goal.value_micros",
};

/** What an update mask may name, by the field that changes; what only the service gives changes nothing. */
const MASKED: Readonly<Record<string, keyof NewGoal | undefined>> = {
  display_name: "name",
  event_name: "eventName",
  page_pattern: "pagePattern",
  value_micros: "valueMicros",
  id: undefined,
  create_time: undefined,
};

const FIELDS = Object.keys(PATHS) as (keyof NewGoal)[];

/** A goal that may be made. @throws Failure "invalid" on "goal" and its fields. */
export function readGoal(goal: wire.Goal | undefined): NewGoal {
  if (goal === undefined) throw missing("goal", "a goal");
  return checkGoal(fieldsOf(goal), PATHS);
}

/**
 * What an update makes of a goal.
 *
 * @param mask as AIP-134 has it: absent stands for all fields that the goal of the request has, "*" for all there are.
 * @returns a function of the goal as it is that throws Failure "invalid" on the fields of "goal".
 * @throws InvalidField on "update_mask".
 */
export function readChange(goal: wire.Goal, mask: FieldMask | undefined): (now: NewGoal) => NewGoal {
  const given = fieldsOf(goal);
  const changes = Object.fromEntries(maskedFields(given, mask).map((field) => [field, given[field]]));
  return ({ name, eventName, pagePattern, valueMicros }) =>
    checkGoal({ name, eventName, pagePattern, valueMicros, ...changes }, PATHS);
}

function maskedFields(given: NewGoal, mask: FieldMask | undefined): (keyof NewGoal)[] {
  if (mask === undefined) return FIELDS.filter((field) => given[field] !== undefined && given[field] !== "");
  if (mask.paths.length === 1 && mask.paths[0] === "*") return FIELDS;
  if (mask.paths.length === 0) throw missing("update_mask.paths", `one or more of ${names()}, or "*" alone`);
  return mask.paths.flatMap((path, at) => {
    if (!Object.hasOwn(MASKED, path)) throw new InvalidField(`update_mask.paths[${at}]`, path, names());
    return MASKED[path] ?? [];
  });
}

function names(): string {
  return Object.keys(MASKED).join(", ");
}

function fieldsOf({ displayName, eventName, pagePattern, valueMicros }: wire.Goal): NewGoal {
  return {
    name: displayName,
    eventName: eventName === "" ? undefined : eventName,
    pagePattern: pagePattern === "" ? undefined : pagePattern,
    valueMicros,
  };
}
