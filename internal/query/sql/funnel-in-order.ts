import sql, { join, raw, type Sql } from "sql-template-tag";
import type { FunnelQuestion } from "../question/funnel.ts";
import { wayKey } from "./funnel.ts";

/**
 * Of each visitor of the ways how far it came with the steps in order: r1 and on (whether it did the step), v1 and on
 * (revenue of the events that did), t1 and on (least seconds since the step before).
 *
 * An event does step i where the way has come to the step before; of several beginnings the newest goes on, as its window
 * ends last: s_i is when the way began that the event is step i of. It is the running maximum of s_(i-1) over the events
 * before, in the order of time and event id.
 */
export function inOrderSql(question: FunnelQuestion): Sql {
  const { steps, windowMs } = question;
  const within =
    windowMs === undefined ? sql`true` : sql`ts - begun <= ${windowMs}::float8 * INTERVAL '1 millisecond'`;
  let rows = sql`SELECT *, CASE WHEN is_entry THEN ts END AS s1, NULL::float8 AS t1
    FROM (${withExclusions(question)}) ways WHERE ${goesOnSql(question)}`;
  for (let step = 2; step <= steps.length; step++) {
    const from = sourcesOf(question, step);
    const newest = from.map((before) => `a${before}`).join(", ");
    // Of ways that began at the same time the one that came further has the later step.
    const last = from.map((before) => `WHEN a${before} = begun THEN u${before}`).join(" ");
    rows = sql`SELECT *, CASE WHEN did THEN begun END AS s${raw(String(step))},
        CASE WHEN did THEN extract(epoch FROM ts - CASE ${raw(last)} END)::float8 END AS t${raw(String(step))}
      FROM (
        SELECT *, b${raw(String(step))} AND begun IS NOT NULL AND ${within} AS did
        FROM (SELECT *, greatest(${raw(newest)}) AS begun FROM (${runningSql(question, step, from, rows)}) running) begun
      ) did`;
    rows = sql`SELECT ${raw(keptOf(question, step))} FROM (${rows}) step${raw(String(step))}`;
  }
  const numbers = steps.flatMap((_, at) => {
    const n = at + 1;
    return [
      `bool_or(s${n} IS NOT NULL) AS r${n}`,
      `sum(revenue_micros) FILTER (WHERE s${n} IS NOT NULL) AS v${n}`,
      `min(t${n}) AS t${n}`,
    ];
  });
  const both = steps.map(
    (_, at) =>
      `bool_or(r${at + 1}) AS r${at + 1}, sum(v${at + 1}) AS v${at + 1}, min(t${at + 1}) AS t${at + 1}`,
  );
  return sql`SELECT ${VISIT}, ${raw(both.join(", "))} FROM (
      SELECT ${VISIT}, ${raw(numbers.join(", "))} FROM (${rows}) steps GROUP BY ${VISIT}
      UNION ALL ${entriesAloneSql(question)}
    ) visits GROUP BY ${VISIT}`;
}

const VISIT = raw("is_total, span, place, d0, bucket, id");

/** Whether ways have events of a step that may come second: most have not, and need not be followed. */
function goesOnSql(question: FunnelQuestion): Sql {
  const { steps } = question;
  const seconds = [2];
  while (steps[seconds.at(-1)! - 1]!.isOptional) seconds.push(seconds.at(-1)! + 1);
  const key = raw(wayKey(question));
  return sql`(${key}) IN (SELECT ${key} FROM ways WHERE ${raw(seconds.map((step) => `b${step}`).join(" OR "))})`;
}

/** Visitors of ways that do not go on: they did the first step alone. */
function entriesAloneSql(question: FunnelQuestion): Sql {
  const later = question.steps.slice(1).map(() => ", false, NULL::numeric, NULL::float8");
  return sql`SELECT ${VISIT}, true, sum(revenue_micros), NULL::float8${raw(later.join(""))}
    FROM ways WHERE is_entry AND (${goesOnSql(question)}) IS NOT TRUE GROUP BY ${VISIT}`;
}

/** How often what is excluded before a step was done so far: ways on both sides of such an event are apart. */
function withExclusions(question: FunnelQuestion): Sql {
  const counts = question.steps.flatMap(({ excluded }, at) =>
    excluded.length === 0
      ? []
      : [
          raw(
            `, count(*) FILTER (WHERE x${at + 1}) OVER (PARTITION BY ${wayKey(question)} ORDER BY ts, event_id) AS c${at + 1}`,
          ),
        ],
  );
  return counts.length === 0 ? sql`SELECT * FROM ways` : sql`SELECT *${join(counts, "")} FROM ways`;
}

/** The steps that may be the one before: behind optional ones the last that is not, too. Nearest first. */
function sourcesOf({ steps }: FunnelQuestion, step: number): number[] {
  const from = [step - 1];
  while (steps[from.at(-1)! - 1]!.isOptional) from.push(from.at(-1)! - 1);
  return from;
}

/** For each step that may be the one before: the newest beginning of ways that came to it (a), and when that was last (u). */
function runningSql(question: FunnelQuestion, step: number, from: readonly number[], rows: Sql): Sql {
  const first = question.order === "strict" ? "1" : "UNBOUNDED";
  const columns = from.flatMap((before) => {
    const apart = question.steps.flatMap(({ excluded }, at) =>
      at + 1 > before && at + 1 <= step && excluded.length > 0 ? [`, c${at + 1}`] : [],
    );
    const over = `OVER (PARTITION BY ${wayKey(question)}${apart.join("")} ORDER BY ts, event_id ROWS BETWEEN ${first} PRECEDING AND 1 PRECEDING)`;
    return [
      `max(s${before}) ${over} AS a${before}`,
      `max(CASE WHEN s${before} IS NOT NULL THEN ts END) ${over} AS u${before}`,
    ];
  });
  return sql`SELECT *, ${raw(columns.join(", "))} FROM (${rows}) rows`;
}

/** The columns that later steps read. */
function keptOf(question: FunnelQuestion, step: number): string {
  const own = question.steps.flatMap(({ excluded }, at) => {
    const n = at + 1;
    const count = excluded.length > 0 ? [`c${n}`] : [];
    return n <= step ? [`s${n}`, `t${n}`, ...count] : [`b${n}`, ...count];
  });
  return ["is_total, span, place, d0, bucket, id, session_id, ts, event_id, revenue_micros", ...own].join(
    ", ",
  );
}
