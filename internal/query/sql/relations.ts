import sql, { join, raw, type Sql } from "sql-template-tag";
import { ITEM_COLUMN_NAMES, ITEM_COLUMNS, SESSION_COLUMNS, VISITOR_COLUMNS } from "../plan/columns.ts";
import type { Part } from "../plan/cover.ts";
import { BESIDE_MS } from "../plan/fact-parts.ts";
import { columnsOfGroup, type Group } from "../plan/plan.ts";
import type { Question } from "../question/question.ts";
import { instant, ofMerchant, ofSample } from "./rows.ts";

/** The rows of a group's relation in a part, as a table of a FROM clause. */
export function relationSql(group: Group, question: Question, part: Part): Sql {
  switch (group.relation) {
    case "sessions":
      throw new TypeError("whole sessions have no parts");
    case "events":
      return sql`(SELECT * FROM events WHERE ${ofMerchant(question, "ts", part)}${ofSample(group.factor)}) rows`;
    case "entrances":
      return pageViewsSql(question, part, "ASC");
    case "exits":
      return pageViewsSql(question, part, "DESC");
    case "items":
      return itemsSql(question, part, columnsOfGroup(question, group));
  }
}

/** The first, or the last, page view of each session, where that lies in the part. */
function pageViewsSql(question: Question, part: Part, direction: "ASC" | "DESC"): Sql {
  const around = { from: part.from - BESIDE_MS, to: part.to + BESIDE_MS };
  return sql`(
    SELECT * FROM (
      SELECT DISTINCT ON (session_id) *
      FROM events
      WHERE ${ofMerchant(question, "ts", around)} AND name = 'page_view'
      ORDER BY session_id, ts ${raw(direction)}, event_id ${raw(direction)}
    ) page_views
    WHERE ts >= ${instant(part.from)} AND ts < ${instant(part.to)}
  ) rows`;
}

/** Columns that items have besides their own. */
const OF_ITEMS = new Set(["ts", "time", "event_id", "is_bot", "visitor_id", "session_id", "stage"]);

/** Items, with those columns of their events that are asked for. */
function itemsSql(question: Question, part: Part, columns: ReadonlySet<string>): Sql {
  const own = [...ITEM_COLUMNS].map((column) => raw(`${ITEM_COLUMN_NAMES[column]} AS ${column}`));
  const items = sql`SELECT ts, event_id, visitor_id, session_id, stage, ${join(own)}
    FROM items WHERE ${ofMerchant(question, "ts", part)}`;
  const ofEvents = [...columns].filter(
    (column) =>
      !ITEM_COLUMNS.has(column) &&
      !OF_ITEMS.has(column) &&
      !SESSION_COLUMNS.has(column) &&
      !VISITOR_COLUMNS.has(column),
  );
  if (ofEvents.length === 0) return sql`(${items}) rows`;
  return sql`(
    SELECT * FROM (${items}) items
    JOIN (
      SELECT ts, event_id, ${join(ofEvents.map((column) => raw(column)))}
      FROM events WHERE ${ofMerchant(question, "ts", part)}
    ) events USING (ts, event_id)
  ) rows`;
}
