import { DAY_MS } from "../day.ts";
import type { Pool } from "../pool.ts";

/** Up to which month visitors have been forgotten in this process, by retention in days. */
const forgotten = new WeakMap<Pool, Map<number, string>>();

/**
 * Forgets the visitors of whom retention has left no event, as of a time (ms since 1970-01-01 UTC). The table is looked
 * through once a month for each length of retention, and once as the program starts.
 * @returns how many.
 */
export async function expireVisitors(pool: Pool, now: number): Promise<number> {
  const known = forgotten.get(pool) ?? new Map<number, string>();
  forgotten.set(pool, known);
  const { rows } = await pool.query<{ days: number }>(
    "SELECT DISTINCT retention_days AS days FROM merchants",
  );
  let expired = 0;
  for (const { days } of rows) {
    const before = monthOf(now - days * DAY_MS);
    if (known.get(days) === before) continue;
    // Whoever is being written has come again, and is not waited for.
    const { rowCount } = await pool.query(
      `DELETE FROM visitors WHERE ctid IN (
         SELECT v.ctid FROM visitors v JOIN merchants USING (merchant_id)
         WHERE retention_days = $1 AND seen_month < $2
         FOR UPDATE OF v SKIP LOCKED)
       AND seen_month < $2`,
      [days, before],
    );
    expired += rowCount ?? 0;
    known.set(days, before);
  }
  return expired;
}

/** The first of a time's month (UTC), as PostgreSQL reads a date. */
function monthOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 7)}-01`;
}
