import { expect, test } from "vitest";
import { type GoalCondition, MAX_GOALS } from "../goals.ts";
import { type GoalReportSql, goalReportSql } from "./sql.ts";

const goal = (eventName?: string, pagePattern?: string): GoalCondition => ({ eventName, pagePattern });
const query = (goals: readonly GoalCondition[], more: Partial<GoalReportSql> = {}): GoalReportSql => ({
  goals,
  page: "lower(url)",
  revenue: "sum(revenue_micros)",
  unconverted: "count(*)",
  ...more,
});

test("the statement reads events once, and of one merchant alone", () => {
  const goals = [goal("a"), goal(undefined, "/b/*"), goal("c", "/**/*")];
  for (const includeBots of [false, true]) {
    const { text } = goalReportSql(query(goals, { includeBots }));
    const reads = text.replaceAll(/--.*/g, "").split(/\bFROM (?=events)/);
    expect(reads).toHaveLength(2);
    expect(reads[1]).toMatch(/^events\s+WHERE merchant_id = \$1 AND /);
    expect(reads[1]!.includes("NOT is_bot")).toBe(!includeBots);
  }
});

test("what a merchant wrote is a parameter, never SQL", () => {
  const evil = "x'); DROP TABLE goals; --{{page}}$1";
  const { text, values } = goalReportSql(
    query([goal(evil), goal(evil, `/${evil}`), goal(undefined, `/*${evil}**`)]),
  );
  expect(text).not.toContain("DROP");
  expect(text).not.toContain("{{");
  expect(values.filter((value) => value === evil)).toHaveLength(2);
  const named = [...text.matchAll(/\$(\d+)::text\b/g)].map(([, number]) => Number(number));
  expect(new Set(named)).toEqual(new Set(values.map((_, at) => at + 5)));
});

test("the page is found for the rows alone whose page a goal looks at", () => {
  const page = ({ text }: { text: string }) => /SELECT \*, (.*) AS goal_page/.exec(text)?.[1];
  expect(page(goalReportSql(query([goal("a"), goal("b")])))).toBe("NULL::text");
  const named = goalReportSql(query([goal("a", "/x"), goal("b", "/y"), goal("c")]));
  expect(page(named)).toMatch(/^CASE WHEN name IN \(\$\d+::text, \$\d+::text\) THEN \(lower\(url\)\) END$/);
  expect(named.values.slice(-2)).toEqual(["a", "b"]);
  expect(page(goalReportSql(query([goal("a", "/x"), goal(undefined, "/y")])))).toBe("(lower(url))");
});

test("what no caller may pass is refused", () => {
  const many = Array.from({ length: MAX_GOALS + 1 }, () => goal("a"));
  expect(() => goalReportSql(query(many))).toThrow("51 goals, at most 50");
  expect(() => goalReportSql(query([goal()]))).toThrow("a goal names an event or a page");
  for (const part of ["page", "revenue", "unconverted"] as const) {
    const wrong = query([goal(undefined, "/")], { [part]: "(SELECT count(*) FROM events)" });
    expect(() => goalReportSql(wrong)).toThrow(TypeError);
  }
});
