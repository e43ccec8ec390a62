import { LookupCache } from "../../cache/lookup-cache.ts";
import { Failure } from "../../failure/failure.ts";
import { bearerToken } from "../../rpc/bearer.ts";
import type { FailedTries } from "../../rpc/by-address/failed-tries.ts";
import { keySha256 } from "../../store/api-keys.ts";
import { isKeyText } from "../../store/key-text.ts";
import { findMerchantByKey, type Merchant } from "../../store/merchants.ts";
import type { Pool } from "../../store/pool.ts";

/** Most read keys remembered. */
const CAPACITY = 200_000;

/**
 * Tells the merchant of a request by its read key.
 * @param freshMs how long a key is trusted before it is read again, ms.
 * @param tries of keys that there are not, by the addresses that they come from.
 * @returns a function of a request's headers and client's address that throws Failure unauthenticated for a missing
 * or unknown key, unavailable when the database is away, exhausted for too many unknown keys from an address.
 */
export function readKeyAuthenticator(
  pool: Pool,
  freshMs: number,
  tries: FailedTries,
): (headers: Headers, address: string) => Promise<Merchant> {
  const find = (sha256: Uint8Array) => findMerchantByKey(pool, "read", sha256);
  const cache = new LookupCache(find, { name: "read key", freshMs, capacity: CAPACITY });
  return async (headers, address) => {
    const key = bearerToken(headers.get("authorization"));
    if (!isKeyText("read", key)) {
      throw new Failure("unauthenticated", "authorization: no read key has this form");
    }
    try {
      return (await cache.get(keySha256(key), tries.of(address))).value;
    } catch (cause) {
      if (!(cause instanceof Failure) || cause.kind !== "not_found") throw cause;
      throw new Failure("unauthenticated", "authorization: unknown read key", { cause });
    }
  };
}
