import { grainOf } from "../continuous-aggregates.ts";
import type { Pool } from "../pool.ts";
import { type Erasure, eventsOf } from "./subject.ts";

/** A span of event time, [from, to), ms since 1970-01-01 UTC. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** How many rows are to go in a minute of event time. */
interface Minute {
  readonly start: number;
  readonly rows: number;
}

const MINUTE_MS = 60_000;

/** Most rows of one transaction, as far as minutes allow: short enough that nobody notices its locks. */
const MAX_ROWS = 10_000;

/** The chunks of `events`, newest first, as spans of event time. */
export async function eventChunks(pool: Pool): Promise<Window[]> {
  const { rows } = await pool.query<Window>(
    `SELECT (extract(epoch FROM range_start) * 1000)::float8 AS from, (extract(epoch FROM range_end) * 1000)::float8 AS to
     FROM timescaledb_information.chunks WHERE hypertable_name = 'events' ORDER BY range_start DESC`,
  );
  return rows;
}

/** The windows of a chunk in which an erasure has rows to remove. */
export async function windowsIn(pool: Pool, erasure: Erasure, { from, to }: Window): Promise<Window[]> {
  const { sql, values } = eventsOf(erasure);
  const at = values.length;
  const { rows } = await pool.query<Minute>(
    `SELECT (extract(epoch FROM time_bucket(INTERVAL '1 minute', e.ts)) * 1000)::float8 AS start, count(*)::integer AS rows
     FROM events e WHERE ${sql} AND e.ts >= $${at + 1} AND e.ts < $${at + 2} GROUP BY 1 ORDER BY 1`,
    [...values, new Date(from), new Date(to)],
  );
  return joinMinutes(rows, erasure.person === undefined ? to - from : grainOf("15m").ms);
}

/**
 * Joins minutes to windows of at most MAX_ROWS rows and `longest` ms: the columnstore unpacks all that the merchant
 * has in a window, also where little of it goes.
 */
export function joinMinutes(minutes: readonly Minute[], longest: number): Window[] {
  const windows: (Window & { rows: number })[] = [];
  for (const { start, rows } of minutes) {
    const last = windows.at(-1);
    const to = start + MINUTE_MS;
    if (last !== undefined && to - last.from <= longest && last.rows + rows <= MAX_ROWS) {
      windows[windows.length - 1] = { from: last.from, to, rows: last.rows + rows };
    } else {
      windows.push({ from: start, to, rows });
    }
  }
  return windows.map(({ from, to }) => ({ from, to }));
}
