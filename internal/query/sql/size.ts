import sql, { join, type Sql } from "sql-template-tag";
import { type Coverage, cover } from "../plan/cover.ts";
import type { Scoped } from "../question/question.ts";
import { ofMerchant } from "./rows.ts";

/** One row: how many events the spans of a question have, before any filter, and the versions of their processing steps. */
export function sizeSql(question: Scoped, { stale }: Coverage): Sql {
  const by = {
    units: ["quarter_hour"] as const,
    usableFrom: Number.NEGATIVE_INFINITY,
    stale,
    canSubtract: false,
  };
  const parts = question.spans.flatMap(({ start, end }) => cover([start, end], by));
  const arms = parts.map((part) =>
    part.unit === "rows"
      ? sql`SELECT 1 AS events, processor_version AS oldest, processor_version AS newest
          FROM events WHERE ${ofMerchant(question, "ts", part)}`
      : sql`SELECT events, oldest_processor_version AS oldest, newest_processor_version AS newest
          FROM totals_15m WHERE ${ofMerchant(question, "bucket", part)}`,
  );
  return sql`SELECT coalesce(sum(events), 0)::float8 AS events, coalesce(min(oldest), 0)::integer AS oldest,
      coalesce(max(newest), 0)::integer AS newest
    FROM (${join(arms, " UNION ALL ")}) parts`;
}
