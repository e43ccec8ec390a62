import { randomBytes } from "node:crypto";
import type { Pool } from "./pool.ts";

/** How long a salt lives from its making on, or from the beginning of its day if that comes later; ms. */
export const SALT_LIFE_MS = 48 * 3_600_000;

const SALT_BYTES = 32;
const LIFE = "INTERVAL '48 hours'";

/** The secret of a UTC day. */
export interface VisitorSalt {
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly salt: Buffer;
  /** Ms until it must be forgotten, by the database's clock. */
  readonly leftMs: number;
}

const EPOCH = "DATE '1970-01-01'";

/** The salts of some days, made where there is none: the first program to ask makes it for all of them. */
export async function visitorSalts(pool: Pool, days: readonly number[]): Promise<VisitorSalt[]> {
  // In one order, so that two programs never wait for each other.
  const sorted = [...days].sort((a, b) => a - b);
  await destroyOldSalts(pool);
  await pool.query(
    `INSERT INTO visitor_salts (day, salt, created_at)
     SELECT ${EPOCH} + day, salt, greatest(now(), (${EPOCH} + day)::timestamp AT TIME ZONE 'UTC')
     FROM unnest($1::integer[], $2::bytea[]) AS s (day, salt)
     ON CONFLICT DO NOTHING`,
    [sorted, sorted.map(() => randomBytes(SALT_BYTES))],
  );
  const { rows } = await pool.query<{ day: number; salt: Buffer; left_ms: number }>(
    `SELECT day - ${EPOCH} AS day, salt,
       (extract(epoch FROM created_at + ${LIFE} - clock_timestamp()) * 1000)::float8 AS left_ms
     FROM visitor_salts WHERE day - ${EPOCH} = ANY($1::integer[])`,
    [sorted],
  );
  return rows.map(({ day, salt, left_ms }) => ({ day, salt, leftMs: left_ms }));
}

/** Destroys the salts that have lived for 48 hours. @returns how many. */
export async function destroyOldSalts(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(`DELETE FROM visitor_salts WHERE created_at <= now() - ${LIFE}`);
  return rowCount ?? 0;
}
