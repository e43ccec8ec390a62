import type {
  Comparison,
  Period,
  Granularity as WireGranularity,
} from "../../gen/footfall/query/v1/period_pb.js";
import type { Question } from "../question/question.ts";
import type { Granularity } from "../time/beginnings.ts";
import type { Calendar } from "../time/calendar.ts";
import { spansOf } from "../time/spans.ts";
import { readComparison, readGranularity, readPeriod } from "./read-period.ts";

/** When a request is about, as its message has it. */
export interface WhenMessage {
  readonly period?: Period | undefined;
  readonly comparison?: Comparison | undefined;
  readonly granularity: WireGranularity;
}

/** When a question is about. */
export interface ReadWhen {
  readonly spans: Question["spans"];
  readonly calendar: Calendar;
  /** Of the buckets of time; undefined without them. */
  readonly granularity: Granularity | undefined;
}

const MONDAY = 1;

/**
 * @param timeZone in which days begin. @param hasTime whether there are buckets of time. @param now ms since 1970-01-01 UTC.
 * @throws Failure "invalid" on "period", "comparison", "granularity" and their fields.
 */
export function readWhen(message: WhenMessage, timeZone: string, hasTime: boolean, now: number): ReadWhen {
  const granularity = readGranularity(message.granularity, hasTime);
  const calendar = { timeZone, firstDayOfWeek: MONDAY };
  const when = {
    period: readPeriod(message.period),
    comparison: message.comparison && readComparison(message.comparison),
    granularity,
  };
  return { spans: spansOf(when, calendar, now), calendar, granularity };
}
