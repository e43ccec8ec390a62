import { z } from "zod";
import { ConfigError } from "../../../internal/config/config-error.ts";
import { flag, optional, type Setting, text } from "../../../internal/config/setting.ts";
import { fieldsTable, table } from "../../../internal/program/table.ts";
import { checkGoal, type GoalFields } from "../../../internal/query/goals/check-goal.ts";
import {
  addGoal,
  type Goal,
  listGoals,
  type NewGoal,
  removeGoal,
  updateGoal,
} from "../../../internal/store/goals.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { command, id, merchant } from "../command.ts";

/** An amount in units of a currency, such as 12.50; in micros. */
const amount = () =>
  z
    .string()
    .regex(/^\d{1,12}(\.\d{1,6})?$/, "is no amount such as 12.50")
    .transform((value) => {
      const [units, fraction = ""] = value.split(".");
      return BigInt(units! + fraction.padEnd(6, "0"));
    });

const name: Setting<string> = {
  description: "its name, which no other goal of the merchant has",
  schema: text(),
};

const eventName: Setting<string> = {
  description: "name of the events that reach it; absent: any",
  schema: text(),
};

const pagePattern: Setting<string> = {
  description:
    "path of the pages on which it is reached, such as /blog/*/thanks or /shop/**; absent: any page, and none",
  schema: text(),
};

const value: Setting<bigint> = {
  description:
    "what reaching it once is worth, in units of the merchant's currency, such as 12.50; absent: the revenue of the event",
  schema: amount(),
};

const FLAGS: GoalFields = {
  name: "--name",
  eventName: "--event-name",
  pagePattern: "--page-pattern",
  valueMicros: "--value, in micros,",
};

const add = command({
  name: "goals add",
  description: "Adds a goal: what a merchant calls a success, by event name, by page, or both.",
  example: '--merchant 1 --name "Signed up" --event-name sign_up --value 12.50',
  settings: {
    merchant,
    name,
    eventName: optional(eventName),
    pagePattern: optional(pagePattern),
    value: optional(value),
  },
  run: async (pool, { merchant: merchantId, value: valueMicros, name, eventName, pagePattern }) => {
    const goal = checkGoal({ name, eventName, pagePattern, valueMicros }, FLAGS);
    await readInstallation(pool);
    return printed(await addGoal(pool, merchantId, goal));
  },
  table: (goal) => fieldsTable(fieldsOf(goal)),
});

const goalId = id("the goal's id; `goals list` shows them");

const update = command({
  name: "goals update",
  description: "Changes a goal, in reports of the past too. What no flag names stays as it is.",
  example: "--merchant 1 --goal 2 --page-pattern '/shop/**' --any-event",
  settings: {
    merchant,
    goal: goalId,
    name: optional(name),
    eventName: optional(eventName),
    anyEvent: flag("events of any name reach it"),
    pagePattern: optional(pagePattern),
    anyPage: flag("it is reached on any page, and on none"),
    value: optional(value),
    eventRevenue: flag("reaching it is worth the revenue of the event"),
  },
  run: async (pool, { merchant: merchantId, goal, ...asked }) => {
    const changes = changesOf(asked);
    await readInstallation(pool);
    const change = ({ name, eventName, pagePattern, valueMicros }: NewGoal) =>
      checkGoal({ name, eventName, pagePattern, valueMicros, ...changes }, FLAGS);
    return printed(await updateGoal(pool, merchantId, goal, change));
  },
  table: (goal) => fieldsTable(fieldsOf(goal)),
});

interface Changes {
  readonly name: string | undefined;
  readonly eventName: string | undefined;
  readonly anyEvent: boolean;
  readonly pagePattern: string | undefined;
  readonly anyPage: boolean;
  readonly value: bigint | undefined;
  readonly eventRevenue: boolean;
}

/** The fields that change. @throws ConfigError where there are none, and where two flags are about one of them. */
function changesOf(asked: Changes): Partial<NewGoal> {
  const { name, eventName, anyEvent, pagePattern, anyPage, value, eventRevenue } = asked;
  const changes = {
    ...(name !== undefined && { name }),
    ...changeOf("eventName", eventName, anyEvent, "--event-name and --any-event"),
    ...changeOf("pagePattern", pagePattern, anyPage, "--page-pattern and --any-page"),
    ...changeOf("valueMicros", value, eventRevenue, "--value and --event-revenue"),
  };
  if (Object.keys(changes).length > 0) return changes;
  throw new ConfigError("a flag must say what changes, such as --name");
}

function changeOf<T>(field: keyof NewGoal, value: T | undefined, isEmptied: boolean, flags: string): object {
  if (value !== undefined && isEmptied) throw new ConfigError(`${flags} cannot be given together`);
  return value !== undefined || isEmptied ? { [field]: value } : {};
}

const list = command({
  name: "goals list",
  description: "Shows a merchant's goals.",
  example: "--merchant 1",
  settings: { merchant },
  run: async (pool, { merchant: merchantId }) => {
    await readInstallation(pool);
    return (await listGoals(pool, merchantId)).map(printed);
  },
  table: (goals) => {
    const rows = goals.map(fieldsOf);
    return table(Object.keys(rows[0] ?? { "no goals": "" }), rows.map(Object.values));
  },
});

const remove = command({
  name: "goals remove",
  description: "Removes a goal from all reports, those of the past included.",
  example: "--merchant 1 --goal 2",
  settings: { merchant, goal: goalId },
  run: async (pool, { merchant: merchantId, goal }) => {
    await readInstallation(pool);
    return { removed: printed(await removeGoal(pool, merchantId, goal)) };
  },
  table: ({ removed }) => `Goal ${removed.goalId} is removed: ${removed.name}`,
});

/** A goal as JSON has it, which knows no bigint; a goal's value is within 2^53. */
function printed({ valueMicros, createdTime, ...goal }: Goal) {
  const worth = valueMicros === undefined ? {} : { valueMicros: Number(valueMicros) };
  return { ...goal, ...worth, createdAt: new Date(createdTime).toISOString() };
}

function fieldsOf({ goalId, name, eventName, pagePattern, createdAt, ...goal }: ReturnType<typeof printed>) {
  return {
    goal: String(goalId),
    name,
    "event name": eventName ?? "any",
    "page pattern": pagePattern ?? "any",
    value: "valueMicros" in goal ? String(Number(goal.valueMicros) / 1e6) : "the event's revenue",
    created: createdAt,
  };
}

export const GOAL_COMMANDS = [add, list, update, remove];
