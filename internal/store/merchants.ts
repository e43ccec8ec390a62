import { Failure } from "../failure/failure.ts";
import { insertKey } from "./api-keys.ts";
import type { KeyKind } from "./key-text.ts";
import { lockMerchant } from "./lock-merchant.ts";
import { type Client, type Pool, transaction } from "./pool.ts";

/** What an operator decides of a merchant. */
interface Settable {
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  /** ISO 4217. */
  readonly currency: string;
  /** Days of event time that are kept. */
  readonly retentionDays: number;
  /** Whether the collector truncates its visitors' addresses before it stores or sends them. */
  readonly truncateIp: boolean;
  /** Hosts of its own beside those that its pages show; each stands for all hosts below it. In ASCII and lower case. */
  readonly ownDomains: readonly string[];
  /** Hosts that start no visit beside those that everybody ignores, such as payment providers. As ownDomains. */
  readonly ignoredReferrers: readonly string[];
}

const COLUMNS = {
  name: "name",
  timeZone: "time_zone",
  currency: "currency",
  retentionDays: "retention_days",
  truncateIp: "truncate_ip",
  ownDomains: "own_domains",
  ignoredReferrers: "ignored_referrers",
} as const satisfies Record<keyof Settable, string>;

const FIELDS = Object.keys(COLUMNS) as (keyof Settable)[];

const DEFAULTS = { truncateIp: true, ownDomains: [], ignoredReferrers: [] } as const;

export interface Merchant extends Settable {
  readonly merchantId: number;
  /** From when on reports may use rollups, ms since 1970-01-01 UTC, a midnight; null or absent: never. */
  readonly rollupsReadyFrom?: number | null;
}

/** What has a default may be left out. */
export type NewMerchant = Omit<Settable, keyof typeof DEFAULTS> &
  Partial<Pick<Settable, keyof typeof DEFAULTS>>;

/** What is to change; what is undefined stays. */
export type Changes = { readonly [K in keyof Settable]?: Settable[K] | undefined };

/** A merchant just made, with its API keys in clear: the only time they can be seen. */
export interface CreatedMerchant extends Merchant {
  readonly writeKey: string;
  readonly readKey: string;
}

/** Creates a merchant with one write key and one read key. */
export async function createMerchant(pool: Pool, given: NewMerchant): Promise<CreatedMerchant> {
  const merchant = { ...DEFAULTS, ...given };
  return transaction(pool, async (client) => {
    const columns = Object.values(COLUMNS);
    const { rows } = await client.query<{ merchant_id: number }>(
      `INSERT INTO merchants (${columns.join(", ")})
       VALUES (${columns.map((_, at) => `$${at + 1}`).join(", ")}) RETURNING merchant_id`,
      FIELDS.map((field) => merchant[field]),
    );
    const merchantId = rows[0]!.merchant_id;
    const { key: writeKey } = await insertKey(client, merchantId, "write");
    const { key: readKey } = await insertKey(client, merchantId, "read");
    return { merchantId, ...merchant, rollupsReadyFrom: null, writeKey, readKey };
  });
}

/**
 * Changes what is given of a merchant.
 * @throws Failure "not_found" for an unknown merchant, "invalid" for another currency once it has events: their
 * amounts were converted to the one it has.
 */
export function updateMerchant(pool: Pool, merchantId: number, changes: Changes): Promise<Merchant> {
  return transaction(pool, async (client) => {
    await lockMerchant(client, merchantId);
    if (changes.currency !== undefined) await checkCurrency(client, merchantId, changes.currency);
    for (const [field, value] of Object.entries(changes)) {
      if (value === undefined) continue;
      const column = COLUMNS[field as keyof Settable];
      await client.query(`UPDATE merchants SET ${column} = $2 WHERE merchant_id = $1`, [merchantId, value]);
    }
    if (changes.retentionDays !== undefined) await lookAgain(client, changes.retentionDays);
    const { rows } = await client.query<Merchant>(
      `SELECT ${MERCHANT} FROM merchants m WHERE m.merchant_id = $1`,
      [merchantId],
    );
    return rows[0]!;
  });
}

/** Retention goes through what merchants that keep so many days had removed before: another one is among them now. */
async function lookAgain(client: Client, days: number): Promise<void> {
  await client.query("DELETE FROM retention_progress WHERE retention_days = $1", [days]);
  await client.query("UPDATE archive_objects SET expired_days = $1 - 1 WHERE expired_days >= $1", [days]);
}

async function checkCurrency(client: Client, merchantId: number, currency: string): Promise<void> {
  const { rows } = await client.query<{ currency: string }>(
    `SELECT currency FROM merchants m WHERE merchant_id = $1 AND currency <> $2
     AND EXISTS (SELECT FROM events e WHERE e.merchant_id = m.merchant_id)`,
    [merchantId, currency],
  );
  if (rows[0] === undefined) return;
  throw new Failure(
    "invalid",
    `currency: merchant ${merchantId} has events, whose amounts are in ${rows[0].currency}, so it cannot change to ${currency}`,
  );
}

const MERCHANT = `m.merchant_id AS "merchantId",
  ${Object.entries(COLUMNS).map(([field, column]) => `m.${column} AS "${field}"`)},
  (extract(epoch FROM m.rollups_ready_from) * 1000)::float8 AS "rollupsReadyFrom"`;

/** The merchant of an API key, or undefined when there is none of that kind, or it was revoked. */
export async function findMerchantByKey(
  pool: Pool,
  kind: KeyKind,
  sha256: Uint8Array,
): Promise<Merchant | undefined> {
  const { rows } = await pool.query<Merchant>(`SELECT ${MERCHANT} FROM merchant_of_key($1, $2) m`, [
    kind,
    sha256,
  ]);
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
