import { behaviorsOf, testsOf } from "../question/filter.ts";
import type { Question } from "../question/question.ts";
import type { BaseMetric } from "../schema/field.ts";
import { DAY_MS } from "../time/calendar.ts";
import { SESSION_COLUMNS } from "./columns.ts";
import type { Coverage } from "./cover.ts";
import { columnsOfMetric, columnsOfQuestion } from "./question-columns.ts";

/**
 * Whether whole sessions alone tell a metric, so that one row of each session in the spans is enough: all that it reads,
 * and that rows are told apart and filtered by, is of whole sessions.
 */
export function countsWholeSessions(question: Question, metric: BaseMetric, coverage: Coverage): boolean {
  const isOfSessions =
    metric.kind === "session_sum" || (metric.kind === "distinct" && metric.of === "session_id");
  if (!isOfSessions || metric.relation !== "events") return false;
  const { dimensions, filter } = question;
  if (dimensions.some(({ type }) => type === "bucket") || !knowsPresence(question, coverage)) return false;
  if (filter !== undefined && behaviorsOf(filter).length > 0) return false;
  const fields = [...dimensions, ...(filter === undefined ? [] : testsOf(filter).map(({ field }) => field))];
  const ofFields = fields.every(({ columns }) => columns.length > 0);
  const columns = [...columnsOfQuestion(question), ...columnsOfMetric(metric)];
  return ofFields && columns.every((column) => SESSION_COLUMNS.has(column));
}

/**
 * Whether it is told of visits in which spans they have events. A visit is of one UTC day, and known by its first and its
 * last event: it may reach over a span that is shorter than a day without an event in it.
 */
function knowsPresence({ spans }: Question, { rollupsFrom }: Coverage): boolean {
  return rollupsFrom === undefined || spans.every(({ start, end }) => end - start >= DAY_MS);
}
