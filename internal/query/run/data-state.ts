import { type Freshness, type FreshnessRow, freshnessOf } from "../../store/freshness.ts";
import type { Client, Pool } from "../../store/pool.ts";
import { BIGINT_TYPES } from "../../store/snapshot.ts";
import type { Coverage } from "../plan/cover.ts";
import { BESIDE_MS } from "../plan/fact-parts.ts";
import { isOfWholeVisitors } from "../plan/plan.ts";
import { reachOf } from "../plan/reach.ts";
import type { AnyQuestion } from "../question/any-question.ts";
import { DAY_MS } from "../time/calendar.ts";
import { type CoverageRow, coverageOf, timeAround } from "./coverage.ts";
import { digest } from "./question-key.ts";

/** How the data behind some questions of one merchant stand, all in one snapshot. */
export interface DataState {
  /**
   * Of each question: the same at two times tells that nothing which its answer depends on was written between them
   * (store/day-versions.ts).
   */
  readonly versions: readonly string[];
  readonly freshness: Freshness;
  /** What aggregates hold around the spans of all questions. */
  readonly coverage: Coverage;
}

const STATE = "SELECT * FROM data_state($1, $2, $3, $4, $5, $6, $7)";

/** @param questions one or more, of one merchant. */
export async function readDataState(
  database: Pool | Client,
  questions: readonly AnyQuestion[],
): Promise<DataState> {
  const { merchantId, partitionId } = questions[0]!.merchant;
  const days = questions.flatMap((question, number) => daysOf(question).map((days) => [number, ...days]));
  const byColumn = [0, 1, 2].map((at) => days.map((day) => day[at]));
  const { rows } = await database.query<[...FreshnessRow, string[], ...CoverageRow]>({
    text: STATE,
    values: [merchantId, partitionId, ...byColumn, ...timeAround(questions.map(reachOf))],
    rowMode: "array",
    types: BIGINT_TYPES,
  });
  const [through, delayedEvents, since, versions, ...coverage] = rows[0]!;
  return {
    versions,
    freshness: freshnessOf([through, delayedEvents, since]),
    coverage: coverageOf(coverage),
  };
}

/** Names a question's answer as of a version of its data. @param key of the question. */
export function revisionOf(key: string, version: string): string {
  return digest(key, version);
}

/**
 * First and last UTC day of what makes the answer: of its spans, and of what their sessions reach into beside them. Who is
 * new then is told by all that was before.
 */
function daysOf(question: AnyQuestion): [first: string, last: string][] {
  const isOfAll = isOfWholeVisitors(question);
  return reachOf(question).spans.map(({ start, end }) => [
    isOfAll ? "-infinity" : dayOf(start - BESIDE_MS),
    dayOf(end + BESIDE_MS - 1),
  ]);
}

function dayOf(time: number): string {
  return new Date(Math.floor(time / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
}
