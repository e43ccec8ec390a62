import { CONTINUOUS_AGGREGATES } from "../continuous-aggregates.ts";
import type { Pool } from "../pool.ts";
import { eventsOf, type Subject } from "./subject.ts";
import { EVENT_TABLES, MERCHANT_TABLES } from "./tables.ts";

/** What an erasure would remove. */
export interface Erasable {
  /** Rows by table, those of tables that have some. */
  readonly rows: Readonly<Record<string, number>>;
  /** Times of the first and the last event; null when there is none. */
  readonly firstTime: Date | null;
  readonly lastTime: Date | null;
}

/** Counts what an erasure would remove now; changes nothing. */
export async function countErasable(pool: Pool, subject: Subject): Promise<Erasable> {
  const { sql, values } = eventsOf({ ...subject, erasedThrough: Number.POSITIVE_INFINITY });
  const { rows: times } = await pool.query<Pick<Erasable, "firstTime" | "lastTime">>(
    `SELECT min(ts) AS "firstTime", max(ts) AS "lastTime" FROM events e WHERE ${sql}`,
    values,
  );
  const rows: Record<string, number> = {};
  for (const { table, from } of subject.visitorId === undefined ? ofMerchant() : ofVisitor(sql)) {
    const { rows: counted } = await pool.query<{ n: number }>(
      `SELECT count(*)::float8 AS n FROM ${from}`,
      from.includes("$3") ? values : values.slice(0, from.includes("$2") ? 2 : 1),
    );
    if (counted[0]!.n > 0) rows[table] = counted[0]!.n;
  }
  return { rows, ...times[0]! };
}

interface Counted {
  readonly table: string;
  /** The FROM clause, and what comes after it. */
  readonly from: string;
}

function ofMerchant(): Counted[] {
  const tables = [...EVENT_TABLES, ...MERCHANT_TABLES, ...CONTINUOUS_AGGREGATES];
  return tables.map((table) => ({ table, from: `${table} WHERE merchant_id = $1` }));
}

/** Items, claimed orders and refunds are found by their event. */
function ofVisitor(events: string): Counted[] {
  const byEvent = (table: string) => ({
    table,
    from: `${table} t JOIN events e USING (merchant_id, ts, event_id) WHERE ${events}`,
  });
  return [
    { table: "events", from: `events e WHERE ${events}` },
    byEvent("items"),
    byEvent("order_keys"),
    byEvent("refund_keys"),
    ...["visitor_sessions", "visitors"].map((table) => ({
      table,
      from: `${table} WHERE merchant_id = $1 AND visitor_id = $2`,
    })),
  ];
}
