import { LookupCache } from "../cache/lookup-cache.ts";
import { Failure } from "../failure/failure.ts";
import { bearerToken } from "../rpc/bearer.ts";
import { keySha256 } from "../store/api-keys.ts";
import { findMerchantByKey, type Merchant } from "../store/merchants.ts";
import type { Pool } from "../store/pool.ts";

/** Most read keys remembered. */
const CAPACITY = 200_000;

/**
 * Tells the merchant of a request by its read key.
 * @param freshMs how long a key is trusted before it is read again, ms.
 * @returns a function that throws Failure unauthenticated for a missing or unknown key, unavailable when the
 * database is away.
 */
export function readKeyAuthenticator(pool: Pool, freshMs: number): (headers: Headers) => Promise<Merchant> {
  const find = (sha256: Uint8Array) => findMerchantByKey(pool, "read", sha256);
  const cache = new LookupCache(find, { name: "read key", freshMs, capacity: CAPACITY });
  return async (headers) => {
    const key = bearerToken(headers.get("authorization"));
    try {
      return (await cache.get(keySha256(key))).value;
    } catch (cause) {
      if (!(cause instanceof Failure) || cause.kind !== "not_found") throw cause;
      throw new Failure("unauthenticated", "authorization: unknown read key", { cause });
    }
  };
}
