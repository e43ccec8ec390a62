import { CookielessHashes } from "./cookieless.ts";
import { hashWords, OwnTextHashes } from "./hashes.ts";
import type { Step } from "./step.ts";

const KIND = "visitor";

/** What is stored of a merchant's visitor with an SDK's id: the 64-bit hash, signed, as a bigint column has it. */
export function visitorHash(merchantId: number, visitorId: string): bigint {
  const [low, high] = hashWords([KIND, merchantId, visitorId]);
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

/**
 * The visitor: the SDK's visitor id; or else address, user agent and the event's UTC day, under the secret of a day
 * (`saltDay`). Hashed together with the merchant, so that one person has nothing in common between two merchants.
 * Storage gives a row without an id the visitor of the day before where it goes on with that visitor's session.
 * Comes after `time`.
 */
export const visitor: Step = {
  name: "visitor",
  version: 3,
  run(batch, derived, { salts }) {
    const ids = batch.text("visitorId");
    const ips = batch.text("ip");
    const agents = batch.text("userAgent");
    const known = new OwnTextHashes(batch, KIND, derived.visitors);
    const cookieless = new CookielessHashes(batch, salts);
    for (let row = 0; row < batch.rows; row++) {
      const id = ids?.[row] ?? 0;
      if (id !== 0) known.write(row, id);
      else cookieless.write(derived, row, ips?.[row] ?? 0, agents?.[row] ?? 0, derived.time.get(row));
    }
  },
};
