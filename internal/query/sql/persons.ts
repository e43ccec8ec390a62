import sql, { empty, raw, type Sql } from "sql-template-tag";
import type { Scoped } from "../question/question.ts";
import { ofMerchant } from "./rows.ts";

/**
 * CTEs that tell, for each of a question's spans, which person a visitor id is: the one user that its events of the span
 * name. A visitor id with several users is a device that people share: it stays a visitor by itself. Each span is looked
 * at alone, so that a period has the same numbers whatever it is compared to. None where visitors are asked for.
 */
export function personsSql({ identity, spans, ...whose }: Scoped): Sql[] {
  if (identity === "visitor") return [];
  return spans.map(
    ({ start, end }, at) => sql`${raw(personsAt(at))} AS MATERIALIZED (
    SELECT visitor_id, min(user_id) AS person_id FROM events
    WHERE ${ofMerchant(whose, "ts", { from: start, to: end })} AND user_id IS NOT NULL
    GROUP BY visitor_id HAVING min(user_id) = max(user_id)
  )`,
  );
}

/** Who a row's visitor is, in a span, over rows with `visitor_id`. */
export interface WhoSql {
  /** To stand behind the rows in a FROM clause. */
  readonly join: Sql;
  /** A bigint: ids of visitors and of users are hashes of 64 bits, so that none is another's. */
  readonly id: Sql;
}

/** @param at the span's place. */
export function whoSql({ identity }: Pick<Scoped, "identity">, at: number): WhoSql {
  if (identity === "visitor") return { join: empty, id: sql`visitor_id` };
  return {
    join: sql` LEFT JOIN ${raw(personsAt(at))} USING (visitor_id)`,
    id: sql`coalesce(person_id, visitor_id)`,
  };
}

/** The name of the CTE of a span. */
export function personsAt(at: number): string {
  return `persons${at}`;
}
