import { LookupCache } from "../../cache/lookup-cache.ts";
import { Failure } from "../../failure/failure.ts";
import { bearerToken } from "../../rpc/bearer.ts";
import type { FailedTries } from "../../rpc/by-address/failed-tries.ts";
import { keySha256 } from "../../store/api-keys.ts";
import { isKeyText, type KeyKind } from "../../store/key-text.ts";
import { findMerchantByKey, type Merchant } from "../../store/merchants.ts";
import type { Pool } from "../../store/pool.ts";

/** The kinds of API keys that callers show. */
export type CallerKind = Exclude<KeyKind, "write">;

/** Most API keys of a kind remembered. */
const CAPACITY: Readonly<Record<CallerKind, number>> = { read: 200_000, manage: 20_000 };

const NAMES: Readonly<Record<CallerKind, string>> = { read: "read key", manage: "management key" };

/**
 * Tells the merchant of a request by its API key.
 * @param freshMs how long an API key is trusted before it is read again, ms.
 * @param tries of API keys that there are not, by the addresses that they come from.
 * @returns a function of a request's headers, its client's address and the kind of key that it takes. It throws Failure
 * unauthenticated for a missing or unknown API key, denied for one of the other kind, unavailable when the database is away,
 * exhausted for too many unknown API keys from an address.
 */
export function callerAuthenticator(
  pool: Pool,
  freshMs: number,
  tries: FailedTries,
): (headers: Headers, address: string, kind: CallerKind) => Promise<Merchant> {
  const cacheOf = (kind: CallerKind) =>
    new LookupCache((sha256: Uint8Array) => findMerchantByKey(pool, kind, sha256), {
      name: NAMES[kind],
      freshMs,
      capacity: CAPACITY[kind],
    });
  const caches = { read: cacheOf("read"), manage: cacheOf("manage") };
  return async (headers, address, kind) => {
    const key = bearerToken(headers.get("authorization"));
    checkForm(kind, key);
    try {
      return (await caches[kind].get(keySha256(key), tries.of(address))).value;
    } catch (cause) {
      if (!(cause instanceof Failure) || cause.kind !== "not_found") throw cause;
      throw new Failure("unauthenticated", `authorization: unknown ${NAMES[kind]}`, { cause });
    }
  };
}

/** API keys of the other kind are told apart by their form: whether there are such is not looked up. */
function checkForm(kind: CallerKind, key: string): void {
  if (isKeyText(kind, key)) return;
  const other = kind === "read" ? "manage" : "read";
  if (!isKeyText(other, key)) {
    throw new Failure("unauthenticated", `authorization: no ${NAMES[kind]} has this form`);
  }
  const message = `authorization: a ${NAMES[other]} may not do that`;
  throw new Failure("denied", message, { allowed: `a ${NAMES[kind]}` });
}
