import { expect, test } from "vitest";
import type { NewGoal } from "../../store/goals.ts";
import { InvalidField } from "../time/invalid-field.ts";
import { checkGoal, type GoalFields } from "./check-goal.ts";

const goal = (fields: Partial<NewGoal>): NewGoal => ({
  name: "Goal",
  eventName: "signup",
  pagePattern: undefined,
  valueMicros: undefined,
  ...fields,
});

const FIELDS: GoalFields = {
  name: "name",
  eventName: "event_name",
  pagePattern: "page_pattern",
  valueMicros: "value_micros",
};

test.each([
  { pagePattern: "/thanks" },
  { pagePattern: "/blog/*/thanks", eventName: undefined },
  { pagePattern: "**" },
  { pagePattern: "**.html" },
  { pagePattern: `/${"x".repeat(511)}` },
  { pagePattern: "/*".repeat(16) },
  { valueMicros: 0n },
  { valueMicros: 10n ** 15n },
  { eventName: "é".repeat(256) },
  { name: "😀".repeat(256) },
])("%o may be made", (fields) => {
  expect(checkGoal(goal(fields), FIELDS)).toEqual(goal(fields));
});

const WRONG: [Partial<NewGoal>, field: string, message: string][] = [
  [{ name: "" }, "name", 'name "" must be a text'],
  [{ name: "  " }, "name", "neither begins nor ends with a space"],
  [{ name: "Sign up " }, "name", 'name "Sign up " must be a text that neither begins'],
  [{ name: "a\nb" }, "name", "without control characters"],
  [{ name: "a\ud800" }, "name", "without control characters"],
  [{ name: "x".repeat(257) }, "name", "at most 256 characters"],
  [{ eventName: undefined }, "event_name", "given where page_pattern is not"],
  [{ eventName: "" }, "event_name", 'event_name "" must be a text'],
  [{ eventName: "a\0" }, "event_name", "without U+0000"],
  [{ eventName: "é".repeat(257) }, "event_name", "at most 256 characters"],
  [{ pagePattern: "" }, "page_pattern", 'page_pattern "" must be a path that begins with "/" or "**"'],
  [{ pagePattern: "thanks" }, "page_pattern", 'page_pattern "thanks" must be a path'],
  [{ pagePattern: "*/thanks" }, "page_pattern", "begins with"],
  [{ pagePattern: "https://shop.example/" }, "page_pattern", "begins with"],
  [{ pagePattern: "/search?q=*" }, "page_pattern", 'page_pattern "/search?q=*" must be a path alone'],
  [{ pagePattern: "/a#b" }, "page_pattern", 'without "?", "#"'],
  [{ pagePattern: "/a\0" }, "page_pattern", "U+0000"],
  [{ pagePattern: "/a/***" }, "page_pattern", "without three stars in a row"],
  [{ pagePattern: `/${"x".repeat(512)}` }, "page_pattern", "at most 512 characters"],
  [{ pagePattern: "/*".repeat(17) }, "page_pattern", "at most 16 wildcards"],
  [{ valueMicros: -1n }, "value_micros", 'value_micros "-1" must be 0 to 1000000000000000'],
  [{ valueMicros: 10n ** 15n + 1n }, "value_micros", "must be 0 to"],
];

test.each(WRONG)("%o is refused by its field", (fields, field, message) => {
  const refused = (() => {
    try {
      return checkGoal(goal(fields), FIELDS);
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(InvalidField);
  expect(refused).toMatchObject({ kind: "invalid", field, message: expect.stringContaining(message) });
});
