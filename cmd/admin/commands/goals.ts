import { z } from "zod";
import { optional, type Setting, text } from "../../../internal/config/setting.ts";
import { fieldsTable, table } from "../../../internal/program/table.ts";
import { checkGoal, type GoalFields } from "../../../internal/query/goals/check-goal.ts";
import { addGoal, type Goal, listGoals, removeGoal } from "../../../internal/store/goals.ts";
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
    name: { description: "its name, which no other goal of the merchant has", schema: text() },
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
  settings: { merchant, goal: id("the goal's id; `goals list` shows them") },
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

export const GOAL_COMMANDS = [add, list, remove];
