import { FRESHNESS, type Freshness, type FreshnessRow, freshnessOf } from "../../store/freshness.ts";
import type { Client, Pool } from "../../store/pool.ts";
import { BIGINT_TYPES } from "../../store/snapshot.ts";
import { BESIDE_MS } from "../plan/fact-parts.ts";
import { isOfWholeVisitors } from "../plan/plan.ts";
import type { Question } from "../question/question.ts";
import { DAY_MS } from "../time/calendar.ts";
import { digest } from "./question-key.ts";

/** How the data behind some questions of one merchant stand, all in one snapshot. */
export interface DataState {
  /**
   * Of each question: the same at two times tells that nothing which its answer depends on was written between them
   * (store/day-versions.ts).
   */
  readonly versions: readonly string[];
  readonly freshness: Freshness;
}

/**
 * $1 partition; $2, $3, $4: of each span the question's number, the first and the last UTC day. The days' counters are
 * summed: of two commits the later one may be seen first, and a maximum would not tell when the other comes.
 */
const STATE = `WITH fresh AS (
  ${FRESHNESS}
)
SELECT fresh.*, ARRAY (
  SELECT coalesce(sum(v.version), 0)::text
  FROM unnest($2::integer[], $3::date[], $4::date[]) AS s (question, first_day, last_day)
  LEFT JOIN day_versions v ON v.partition_id = $1 AND v.day BETWEEN s.first_day AND s.last_day
  GROUP BY s.question
  ORDER BY s.question
)
FROM (VALUES (0)) AS one LEFT JOIN fresh ON true`;

/** @param questions one or more, of one merchant. */
export async function readDataState(
  database: Pool | Client,
  questions: readonly Question[],
): Promise<DataState> {
  const days = questions.flatMap((question, number) => daysOf(question).map((days) => [number, ...days]));
  const values = [questions[0]!.merchant.partitionId, ...[0, 1, 2].map((at) => days.map((day) => day[at]))];
  const { rows } = await database.query<[...FreshnessRow, string[]]>({
    text: STATE,
    values,
    rowMode: "array",
    types: BIGINT_TYPES,
  });
  const [through, delayedEvents, since, versions] = rows[0]!;
  return { versions, freshness: freshnessOf([through, delayedEvents, since]) };
}

/** Names a question's answer as of a version of its data. @param key of the question. */
export function revisionOf(key: string, version: string): string {
  return digest(key, version);
}

/**
 * First and last UTC day of what makes the answer: of its spans, and of what their sessions reach into beside them. Who is
 * new then is told by all that was before.
 */
function daysOf(question: Question): [first: string, last: string][] {
  const isOfAll = isOfWholeVisitors(question);
  return question.spans.map(({ start, end }) => [
    isOfAll ? "-infinity" : dayOf(start - BESIDE_MS),
    dayOf(end + BESIDE_MS - 1),
  ]);
}

function dayOf(time: number): string {
  return new Date(Math.floor(time / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
}
