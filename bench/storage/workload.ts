import { chunkDays } from "../../internal/store/maintenance/chunk-interval.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { BenchOptions } from "../lib/result.ts";
import { END, type Workload } from "./load.ts";

const DAY_MS = 86_400_000;
const DAYS_OF_A_YEAR = 365;

/** From so many events a week on a chunk is a day, as docs/storage.md advises: a chunk's rows should fit into memory. */
const MANY_A_WEEK = 10_000_000;

export interface Asked extends Workload {
  readonly chunkDays: number;
}

/** What to load, where it is not all said. */
export function workloadOf(asked: Omit<BenchOptions, "seconds" | "say">): Asked {
  const usual = process.env.DATABASE_URL === undefined ? 1_000_000 : 10_000_000;
  const { events = usual, merchants = 10_000, days = DAYS_OF_A_YEAR } = asked;
  const { chunkDays = (events / days) * 7 >= MANY_A_WEEK ? 1 : 7 } = asked;
  return { events, merchants, days, chunkDays };
}

/** What was loaded into a database that was kept. */
export async function workloadIn(pool: Pool): Promise<Asked> {
  const { rows } = await pool.query<{ events: string; merchants: number; first: Date }>(
    `SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*)::integer FROM merchants) AS merchants,
       (SELECT min(ts) FROM events) AS first`,
  );
  const { events, merchants, first } = rows[0]!;
  if (first === null) throw new Error("loaded: the database holds no events");
  const days = Math.ceil((END - first.getTime()) / DAY_MS);
  return { events: Number(events), merchants, days, chunkDays: await chunkDays(pool) };
}
