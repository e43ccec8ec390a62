import { type GoalCondition, MAX_GOALS } from "../goals.ts";
import { expression, fill, peopleOnly } from "../report/sql.ts";
import { sqlFile } from "../sql-file.ts";
import { matchesPattern } from "./page-pattern.ts";

const GOAL_REPORT = sqlFile("./goal_report.sql", import.meta.url);

/** How many parameters the statement has of its own: merchant, first edge, last edge, all edges. */
const OWN_PARAMETERS = 4;

/** The columns of each goal, in their order behind bucket_number and the visitors. */
export const GOAL_COLUMNS = ["conversions", "visitors", "revenue", "unconverted"] as const;

export interface GoalReportSql {
  /** At most MAX_GOALS: each has a bit. */
  readonly goals: readonly GoalCondition[];
  /** SQL text value over one row of `events`: the path that patterns are matched with. */
  readonly page: string;
  /** SQL aggregates over rows of `events`, whose sums over parts are those over the whole. */
  readonly revenue: string;
  readonly unconverted: string;
  readonly includeBots?: boolean | undefined;
}

/** @returns the statement, and the values of its parameters from $5 on. @throws TypeError as sqlOf. */
export function goalReportSql(query: GoalReportSql): { text: string; values: string[] } {
  const { goals } = query;
  if (goals.length > MAX_GOALS) throw new TypeError(`${goals.length} goals, at most ${MAX_GOALS}`);
  const values: string[] = [];
  const parameter = (text: string) => `$${OWN_PARAMETERS + values.push(text)}::text`;
  const bits = goals.map(
    (goal, bit) => `CASE WHEN ${reaches(goal, parameter)} THEN ${1n << BigInt(bit)} ELSE 0 END`,
  );
  const text = fill(GOAL_REPORT, {
    goals: `(${["0::bigint", ...bits].join(" | ")})`,
    revenue: expression(query.revenue),
    unconverted: expression(query.unconverted),
    page: pageOf(query, parameter),
    people: peopleOnly(query.includeBots),
    counts: goals.map((_, bit) => countsOf(1n << BigInt(bit))).join(""),
  });
  return { text, values };
}

function reaches({ eventName, pagePattern }: GoalCondition, parameter: (text: string) => string): string {
  const conditions: string[] = [];
  if (eventName !== undefined) conditions.push(`name = ${parameter(eventName)}`);
  if (pagePattern !== undefined) conditions.push(matchesPattern(pagePattern, "goal_page", parameter));
  if (conditions.length === 0) throw new TypeError("a goal names an event or a page");
  return conditions.join(" AND ");
}

/** The page, for the rows alone whose page a goal looks at: in old rows finding it costs more than all else. */
function pageOf({ goals, page }: GoalReportSql, parameter: (text: string) => string): string {
  const looking = goals.filter(({ pagePattern }) => pagePattern !== undefined);
  if (looking.length === 0) return "NULL::text";
  if (looking.some(({ eventName }) => eventName === undefined)) return expression(page);
  const names = new Set(looking.map(({ eventName }) => eventName!));
  return `CASE WHEN name IN (${[...names].map(parameter).join(", ")}) THEN ${expression(page)} END`;
}

function countsOf(bit: bigint): string {
  const reached = `FILTER (WHERE goals & ${bit} <> 0)`;
  return `,
  coalesce(sum(events) ${reached}, 0), count(DISTINCT visitor_id) ${reached},
  coalesce(sum(revenue) ${reached}, 0), coalesce(sum(unconverted) ${reached}, 0)`;
}
