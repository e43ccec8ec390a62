import { createHash } from "node:crypto";
import { Failure } from "../failure/failure.ts";
import { type KeyKind, newKeyText } from "./key-text.ts";
import { lockMerchant } from "./lock-merchant.ts";
import { type Client, type Pool, transaction } from "./pool.ts";

/** What is stored of an API key. */
export function keySha256(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** What is told of an API key: never itself. */
export interface ApiKey {
  /** The first 12 hexadecimal digits of its SHA-256. */
  readonly keyId: string;
  readonly kind: KeyKind;
  readonly createdAt: Date;
  /** From when on it is refused, which may be in the future; null: never. */
  readonly revokedAt: Date | null;
}

/** An API key just made, in clear: the only time it can be seen. */
export interface CreatedKey extends ApiKey {
  readonly key: string;
}

const KEY_ID = "left(encode(key_sha256, 'hex'), 12)";
const COLUMNS = `${KEY_ID} AS "keyId", kind, created_at AS "createdAt", revoked_at AS "revokedAt"`;

/** A merchant's API keys, the revoked ones too, oldest first. @throws Failure "not_found" for an unknown merchant. */
export function listKeys(pool: Pool, merchantId: number): Promise<ApiKey[]> {
  return transaction(pool, async (client) => {
    await lockMerchant(client, merchantId);
    const { rows } = await client.query<ApiKey>(
      `SELECT ${COLUMNS} FROM api_keys WHERE merchant_id = $1 ORDER BY created_at, kind, key_sha256`,
      [merchantId],
    );
    return rows;
  });
}

/** Makes one more API key of a merchant. @throws Failure "not_found" for an unknown merchant. */
export function createKey(pool: Pool, merchantId: number, kind: KeyKind): Promise<CreatedKey> {
  return transaction(pool, async (client) => {
    await lockMerchant(client, merchantId);
    return insertKey(client, merchantId, kind);
  });
}

/** Stores a new key of a merchant whose row is locked, or not seen by others yet. */
export async function insertKey(client: Client, merchantId: number, kind: KeyKind): Promise<CreatedKey> {
  const key = newKeyText(kind);
  const { rows } = await client.query<ApiKey>(
    `INSERT INTO api_keys (key_sha256, merchant_id, kind) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
    [keySha256(key), merchantId, kind],
  );
  return { ...rows[0]!, key };
}

/** A key and the one that takes its place. */
export interface Rotated {
  readonly created: CreatedKey;
  readonly old: ApiKey;
}

/**
 * Makes a key that takes the place of another, which goes on working.
 * @param overlapMs how long the old one does, ms; undefined: until it is revoked.
 * @throws Failure "not_found" for an unknown merchant or key, "invalid" for one that is revoked.
 */
export function rotateKey(
  pool: Pool,
  merchantId: number,
  keyId: string,
  overlapMs: number | undefined,
): Promise<Rotated> {
  return transaction(pool, async (client) => {
    await lockMerchant(client, merchantId);
    const { rows } = await client.query<ApiKey & { isRevoked: boolean }>(
      `SELECT ${COLUMNS}, coalesce(revoked_at <= now(), false) AS "isRevoked"
       FROM api_keys WHERE merchant_id = $1 AND ${KEY_ID} = $2`,
      [merchantId, keyId],
    );
    const { isRevoked, ...found } = rows[0] ?? noSuchKey(merchantId, keyId);
    if (isRevoked) throw new Failure("invalid", `key ${keyId} is revoked: make a new one by \`keys create\``);
    const created = await insertKey(client, merchantId, found.kind);
    const old = overlapMs === undefined ? found : await endKey(client, merchantId, keyId, overlapMs);
    return { created, old };
  });
}

/**
 * Ends a key now; one that is revoked already stays as it is.
 * @throws Failure "not_found" for an unknown merchant or key.
 */
export function revokeKey(pool: Pool, merchantId: number, keyId: string): Promise<ApiKey> {
  return transaction(pool, async (client) => {
    await lockMerchant(client, merchantId);
    return endKey(client, merchantId, keyId, 0);
  });
}

/** @param inMs from now, ms. A key that has ended stays so. */
async function endKey(client: Client, merchantId: number, keyId: string, inMs: number): Promise<ApiKey> {
  const { rows } = await client.query<ApiKey>(
    `UPDATE api_keys SET revoked_at =
       CASE WHEN revoked_at <= now() THEN revoked_at ELSE now() + $3 * INTERVAL '1 millisecond' END
     WHERE merchant_id = $1 AND ${KEY_ID} = $2 RETURNING ${COLUMNS}`,
    [merchantId, keyId, inMs],
  );
  return rows[0] ?? noSuchKey(merchantId, keyId);
}

function noSuchKey(merchantId: number, keyId: string): never {
  throw new Failure("not_found", `merchant ${merchantId} has no key ${JSON.stringify(keyId)}`);
}
