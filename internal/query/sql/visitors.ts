import sql, { empty, raw, type Sql } from "sql-template-tag";
import type { Scoped, Traffic } from "../question/question.ts";
import { personsAt } from "./persons.ts";

const FIRST_TIME: Readonly<Record<Traffic, string>> = {
  people: "people_first_time",
  bots: "bots_first_time",
  all: "least(people_first_time, bots_first_time)",
};

/**
 * CTEs of when the visitors of the traffic first came. A person came first when the first of its visitor ids did: as
 * these are told by the span, each span then has its own.
 */
export function firstTimesSql(question: Scoped): Sql[] {
  const { identity, merchant, traffic, spans } = question;
  const visitors = sql`SELECT visitor_id, ${raw(FIRST_TIME[traffic])} AS visitor_first_time
    FROM visitors WHERE merchant_id = ${merchant.merchantId}::integer`;
  if (identity === "visitor") return [sql`${raw(nameAt(question, 0))} AS (${visitors})`];
  return spans.map(
    (_, at) => sql`${raw(nameAt(question, at))} AS (
    SELECT visitor_id,
      min(visitor_first_time) OVER (PARTITION BY coalesce(person_id, visitor_id)) AS visitor_first_time
    FROM (${visitors}) visitors FULL JOIN ${raw(personsAt(at))} USING (visitor_id)
  )`,
  );
}

/** The join that gives rows their visitors' first times: null for who has no row, and so is new. */
export function joinFirstTimes(question: Scoped, at: number, isAsked: boolean): Sql {
  return isAsked ? sql` LEFT JOIN ${raw(nameAt(question, at))} USING (visitor_id)` : empty;
}

function nameAt({ identity }: Scoped, at: number): string {
  return identity === "visitor" ? "first_times" : `first_times${at}`;
}
