import { CONTINUOUS_AGGREGATES } from "../continuous-aggregates.ts";
import type { Pool } from "../pool.ts";
import { type Condition, eventsOf, type Person, type Subject } from "./subject.ts";
import { EVENT_TABLES, MERCHANT_TABLES } from "./tables.ts";

/** What an erasure would remove. */
export interface Erasable {
  /** Rows by table, those of tables that have some. */
  readonly rows: Readonly<Record<string, number>>;
  /** Times of the first and the last event; null when there is none. */
  readonly firstTime: Date | null;
  readonly lastTime: Date | null;
  /** Of a user or customer, the visitors whose events these are, by hash: each can be erased as one. Else absent. */
  readonly visitors?: readonly string[];
}

/** Counts what an erasure would remove now; changes nothing. */
export async function countErasable(pool: Pool, subject: Subject): Promise<Erasable> {
  const { sql, values } = eventsOf({ ...subject, erasedThrough: Number.POSITIVE_INFINITY });
  const { rows: times } = await pool.query<Pick<Erasable, "firstTime" | "lastTime">>(
    `SELECT min(ts) AS "firstTime", max(ts) AS "lastTime" FROM events e WHERE ${sql}`,
    values,
  );
  const rows: Record<string, number> = {};
  for (const { table, from } of subject.person === undefined ? ofMerchant() : ofPerson(subject.person, sql)) {
    const { rows: counted } = await pool.query<{ n: number }>(
      `SELECT count(*)::float8 AS n FROM ${from}`,
      from.includes("$3") ? values : values.slice(0, from.includes("$2") ? 2 : 1),
    );
    if (counted[0]!.n > 0) rows[table] = counted[0]!.n;
  }
  const isKnownBy = subject.person !== undefined && subject.person.kind !== "visitor";
  return { rows, ...times[0]!, ...(isKnownBy && { visitors: await visitorsOf(pool, { sql, values }) }) };
}

async function visitorsOf(pool: Pool, { sql, values }: Condition): Promise<string[]> {
  const { rows } = await pool.query<{ visitor: string }>(
    `SELECT DISTINCT e.visitor_id::text AS visitor FROM events e WHERE ${sql} ORDER BY 1`,
    values,
  );
  return rows.map(({ visitor }) => visitor);
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

/** Items, claimed orders and refunds are found by their event. A user's or customer's visitors and sessions may stay. */
function ofPerson({ kind }: Person, events: string): Counted[] {
  const byEvent = (table: string) => ({
    table,
    from: `${table} t JOIN events e USING (merchant_id, ts, event_id) WHERE ${events}`,
  });
  return [
    { table: "events", from: `events e WHERE ${events}` },
    byEvent("items"),
    byEvent("order_keys"),
    byEvent("refund_keys"),
    ...(kind === "visitor" ? ["visitor_sessions", "visitors"] : []).map((table) => ({
      table,
      from: `${table} WHERE merchant_id = $1 AND visitor_id = $2`,
    })),
  ];
}
