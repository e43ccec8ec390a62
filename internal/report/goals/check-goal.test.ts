import { expect, test } from "vitest";
import type { NewGoal } from "../../store/goals/goals.ts";
import { InvalidInput } from "../errors.ts";
import { checkGoal } from "./check-goal.ts";

const goal = (fields: Partial<NewGoal>): NewGoal => ({
  name: "Goal",
  eventName: "signup",
  pagePattern: undefined,
  valueMicros: undefined,
  ...fields,
});

test.each([
  { pagePattern: "/thanks" },
  { pagePattern: "/blog/*/thanks", eventName: undefined },
  { pagePattern: "**" },
  { pagePattern: "**.html" },
  { pagePattern: `/${"x".repeat(511)}` },
  { pagePattern: "/*".repeat(16) },
  { valueMicros: 0n },
  { valueMicros: 10n ** 15n },
  { eventName: "é".repeat(32) },
  { name: "😀".repeat(100) },
])("%o may be made", (fields) => {
  expect(checkGoal(goal(fields))).toEqual(goal(fields));
});

const WRONG: [Partial<NewGoal>, field: string, message: string][] = [
  [{ name: "" }, "name", 'name "" is empty'],
  [{ name: "  " }, "name", 'name "  " is empty'],
  [{ name: "Sign up " }, "name", 'name "Sign up " begins or ends with a space'],
  [{ name: "a\nb" }, "name", "holds a control character"],
  [{ name: "x".repeat(101) }, "name", "is longer than 100 characters"],
  [{ eventName: undefined }, "event_name", "event_name or page_pattern is required"],
  [{ eventName: "" }, "event_name", 'event_name "" is empty'],
  [{ eventName: "a\0" }, "event_name", "holds U+0000"],
  [{ eventName: "é".repeat(257) }, "event_name", "is longer than 256 characters"],
  [{ pagePattern: "" }, "page_pattern", 'page_pattern "" begins with neither "/" nor "**"'],
  [{ pagePattern: "thanks" }, "page_pattern", 'page_pattern "thanks" begins with neither'],
  [{ pagePattern: "*/thanks" }, "page_pattern", "begins with neither"],
  [{ pagePattern: "https://shop.example/" }, "page_pattern", "begins with neither"],
  [{ pagePattern: "/search?q=*" }, "page_pattern", 'page_pattern "/search?q=*" holds "?", which no page has'],
  [{ pagePattern: "/a#b" }, "page_pattern", 'holds "#"'],
  [{ pagePattern: "/a\0" }, "page_pattern", 'holds "\\u0000"'],
  [{ pagePattern: "/a/***" }, "page_pattern", "holds three stars in a row"],
  [{ pagePattern: `/${"x".repeat(512)}` }, "page_pattern", "is longer than 512 characters"],
  [{ pagePattern: "/*".repeat(17) }, "page_pattern", "has more than 16 wildcards"],
  [{ valueMicros: -1n }, "value_micros", 'value_micros "-1" is outside of 0 to 1000000000000000'],
  [{ valueMicros: 10n ** 15n + 1n }, "value_micros", "is outside of 0 to"],
];

test.each(WRONG)("%o is refused by its field", (fields, field, message) => {
  const refused = (() => {
    try {
      return checkGoal(goal(fields));
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(InvalidInput);
  expect(refused).toMatchObject({ kind: "invalid", field, message: expect.stringContaining(message) });
});
