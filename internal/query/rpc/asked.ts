import type { AnyQuestion } from "../question/any-question.ts";
import type { Asked } from "../run/run-questions.ts";
import type { Granularity } from "../time/beginnings.ts";
import type { Calendar } from "../time/calendar.ts";

/** What a request asks for: the question, and what its answer is told with. */
export interface AskedAbout<Q extends AnyQuestion = AnyQuestion> extends Asked {
  readonly question: Q;
  /** When it was asked for, or its first page, ms since 1970-01-01 UTC. */
  readonly now: number;
  readonly calendar: Calendar;
  /** Of the buckets of time; undefined without them. */
  readonly granularity: Granularity | undefined;
}
