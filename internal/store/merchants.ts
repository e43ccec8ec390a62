import { createHash, randomBytes } from "node:crypto";
import { type Pool, transaction } from "./pool.ts";

export type KeyKind = "write" | "read";

export interface Merchant {
  readonly merchantId: number;
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Days of event time that are kept. */
  readonly retentionDays: number;
  /** Whether the collector truncates its visitors' addresses before it stores or sends them. */
  readonly truncateIp: boolean;
  /** From when on reports may use rollups, ms since 1970-01-01 UTC, a midnight; null or absent: never. */
  readonly rollupsReadyFrom?: number | null;
}

export type NewMerchant = Omit<Merchant, "merchantId" | "truncateIp" | "rollupsReadyFrom"> & {
  /** Default: true. */
  readonly truncateIp?: boolean;
};

/** A merchant just made, with its keys in clear: the only time they can be seen. */
export interface CreatedMerchant extends Merchant {
  readonly writeKey: string;
  readonly readKey: string;
}

const PREFIX: Record<KeyKind, string> = { write: "ffw_", read: "ffr_" };

/** A new key: 256 random bits behind a prefix that tells its kind. */
export function newKey(kind: KeyKind): string {
  return PREFIX[kind] + randomBytes(32).toString("base64url");
}

/** What is stored of a key. */
export function keySha256(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** Creates a merchant with one write key and one read key. */
export async function createMerchant(pool: Pool, given: NewMerchant): Promise<CreatedMerchant> {
  const merchant = { ...given, truncateIp: given.truncateIp ?? true, rollupsReadyFrom: null };
  const writeKey = newKey("write");
  const readKey = newKey("read");
  const merchantId = await transaction(pool, async (client) => {
    const { rows } = await client.query<{ merchant_id: number }>(
      `INSERT INTO merchants (name, time_zone, currency, retention_days, truncate_ip)
       VALUES ($1, $2, $3, $4, $5) RETURNING merchant_id`,
      [merchant.name, merchant.timeZone, merchant.currency, merchant.retentionDays, merchant.truncateIp],
    );
    const id = rows[0]!.merchant_id;
    await client.query(
      "INSERT INTO api_keys (key_sha256, merchant_id, kind) VALUES ($1, $3, 'write'), ($2, $3, 'read')",
      [keySha256(writeKey), keySha256(readKey), id],
    );
    return id;
  });
  return { merchantId, ...merchant, writeKey, readKey };
}

const MERCHANT = `m.merchant_id AS "merchantId", m.name, m.time_zone AS "timeZone", m.currency,
  m.retention_days AS "retentionDays", m.truncate_ip AS "truncateIp",
  (extract(epoch FROM m.rollups_ready_from) * 1000)::float8 AS "rollupsReadyFrom"`;

/** The merchant of a key, or undefined when there is no such key of that kind, or it was revoked. */
export async function findMerchantByKey(
  pool: Pool,
  kind: KeyKind,
  sha256: Uint8Array,
): Promise<Merchant | undefined> {
  const { rows } = await pool.query<Merchant>(
    `SELECT ${MERCHANT} FROM api_keys k JOIN merchants m USING (merchant_id)
     WHERE k.key_sha256 = $1 AND k.kind = $2 AND k.revoked_at IS NULL`,
    [sha256, kind],
  );
  return rows[0];
}

export async function merchantExists(pool: Pool, merchantId: number): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT 1 FROM merchants WHERE merchant_id = $1", [merchantId]);
  return rowCount === 1;
}

/** All merchants, by id. */
export async function listMerchants(pool: Pool): Promise<Merchant[]> {
  const { rows } = await pool.query<Merchant>(`SELECT ${MERCHANT} FROM merchants m ORDER BY m.merchant_id`);
  return rows;
}

/** The currencies of some merchants, by id; unknown ids are left out. */
export async function findCurrencies(
  pool: Pool,
  merchantIds: readonly number[],
): Promise<Map<number, string>> {
  const { rows } = await pool.query<{ merchant_id: number; currency: string }>(
    "SELECT merchant_id, currency FROM merchants WHERE merchant_id = ANY($1::integer[])",
    [merchantIds],
  );
  return new Map(rows.map((row) => [row.merchant_id, row.currency]));
}
