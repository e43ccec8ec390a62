import { LookupCache } from "../cache/lookup-cache.ts";
import { VISITOR_ID_KEY_BYTES } from "../event/visitor-id.ts";
import { Failure } from "../failure/failure.ts";
import type { FailedTries } from "../rpc/by-address/failed-tries.ts";
import { keySha256 } from "../store/api-keys.ts";
import { isKeyText } from "../store/key-text.ts";
import type { IngestClient } from "./ingest-client.ts";
import type { Sender } from "./send.ts";

/** Most write keys that a collector remembers. */
const CAPACITY = 200_000;

/** How long an ingest that does not answer may hold up events whose write key was known, ms. */
const PATIENCE_MS = 250;

/** Tells merchants by their write keys, as ingest resolves them. */
export class WriteKeys {
  readonly #cache: LookupCache<Sender>;
  readonly #tries: FailedTries | undefined;

  /**
   * @param freshMs how long an answer of ingest is used, and so how long a revoked write key may still work, ms.
   * @param tries of write keys that there are not, by the addresses that they come from.
   */
  constructor(client: IngestClient, freshMs: number, tries?: FailedTries) {
    this.#tries = tries;
    this.#cache = new LookupCache((sha256) => find(client, sha256), {
      name: "write key",
      freshMs,
      patienceMs: PATIENCE_MS,
      capacity: CAPACITY,
    });
  }

  /**
   * @param address that the key comes from; absent for the collector's own.
   * @throws Failure unauthenticated for an unknown write key, unavailable when it cannot be looked up now, exhausted when
   * too many unknown ones came from its address.
   */
  async sender(key: string, address?: string): Promise<Sender> {
    if (!isKeyText("write", key)) {
      throw new Failure("unauthenticated", "authorization: no write key has this form");
    }
    try {
      const asker = address === undefined ? undefined : this.#tries?.of(address);
      return (await this.#cache.get(keySha256(key), asker)).value;
    } catch (cause) {
      if (!(cause instanceof Failure) || cause.kind !== "not_found") throw cause;
      throw new Failure("unauthenticated", "authorization: unknown write key", { cause });
    }
  }
}

async function find(client: IngestClient, sha256: Uint8Array): Promise<Sender | undefined> {
  try {
    const answer = await client.resolveKey(sha256);
    const { merchantId, retentionDays, partitions, keepFullIp, visitorIdKey: visitorKey } = answer;
    if (visitorKey.length !== VISITOR_ID_KEY_BYTES) {
      const message = `ingest: visitor_id_key has ${visitorKey.length} bytes, ${VISITOR_ID_KEY_BYTES} are needed: start a newer ingest`;
      throw new Failure("unavailable", message, { retryAfterMs: 500 });
    }
    return { merchantId, retentionDays, partitions, truncateIp: !keepFullIp, visitorKey };
  } catch (error) {
    if (error instanceof Failure && error.kind === "not_found") return undefined;
    throw error;
  }
}
