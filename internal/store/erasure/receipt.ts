import type { Pool } from "../pool.ts";
import type { PersonKind } from "./subject.ts";

/** Something that an erasure leaves, and until when. */
export interface Remains {
  readonly where: string;
  readonly what: string;
  /** Undefined: for ever, or as `what` says. */
  readonly until?: Date | undefined;
}

/** What an erasure has done. */
export interface Receipt {
  readonly erasureId: number;
  readonly merchantId: number;
  /** What the person's events are found by; null for the whole merchant. */
  readonly personKind: PersonKind | null;
  /** As a bigint's decimals; null likewise. */
  readonly personHash: string | null;
  readonly requestedAt: Date;
  /** Of a person, what happened or was received up to here is erased, and is left out when it comes again. */
  readonly erasedThrough: Date;
  /** Null while it is not finished: the same command goes on with it. */
  readonly finishedAt: Date | null;
  /** Rows removed, by table. */
  readonly removed: Readonly<Record<string, number>>;
  /** Times of the first and the last erased event; null when there was none. */
  readonly firstTime: Date | null;
  readonly lastTime: Date | null;
  /** When the continuous aggregates counted none of it any more. */
  readonly aggregatesRefreshedAt: Date | null;
  /** When the space of the rows was freed. */
  readonly vacuumedAt: Date | null;
  readonly remains: readonly Remains[] | null;
  /** Objects of the archive that may hold raw events of it: `admin archive erase` has not been through them. */
  readonly archiveObjectsLeft: number;
}

const READ = `SELECT erasure_id::float8 AS "erasureId", merchant_id AS "merchantId", person_kind AS "personKind",
    person_hash::text AS "personHash",
    requested_at AS "requestedAt", erased_through AS "erasedThrough", finished_at AS "finishedAt",
    (SELECT coalesce(json_object_agg(table_name, rows ORDER BY table_name), '{}') FROM erasure_removals r
      WHERE r.erasure_id = e.erasure_id) AS removed,
    first_time AS "firstTime", last_time AS "lastTime", refreshed_at AS "aggregatesRefreshedAt",
    vacuumed_at AS "vacuumedAt", remains,
    (SELECT count(*) FROM archive_objects o WHERE o.partition_id = e.partition_id
      AND o.kind = 'events' AND o.erasure_version < e.version)::float8 AS "archiveObjectsLeft"
  FROM erasures e`;

/** The receipt of an erasure. */
export async function readReceipt(pool: Pool, erasureId: number): Promise<Receipt> {
  const { rows } = await pool.query<Receipt>(`${READ} WHERE erasure_id = $1`, [erasureId]);
  return rows[0]!;
}

/** The receipts of all erasures, latest first; of one merchant, if told. */
export async function listReceipts(pool: Pool, merchantId: number | undefined): Promise<Receipt[]> {
  const { rows } = await pool.query<Receipt>(
    `${READ} WHERE $1::integer IS NULL OR merchant_id = $1 ORDER BY erasure_id DESC`,
    [merchantId ?? null],
  );
  return rows;
}

/** Finishes an erasure; what only its progress needed is forgotten. */
export async function finishErasure(
  pool: Pool,
  erasureId: number,
  remains: readonly Remains[],
): Promise<void> {
  await pool.query(
    `UPDATE erasures SET finished_at = now(), remains = $2, quarter_hours = '{}', freed_orders = '{}', freed_refunds = '{}',
       visitors = '{}'
     WHERE erasure_id = $1`,
    [erasureId, JSON.stringify(remains)],
  );
}
