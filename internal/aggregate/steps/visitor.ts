import type { BatchView } from "../../event/batch-view.ts";
import { signed64 } from "../../store/signed64.ts";
import { CookielessHashes } from "./cookieless.ts";
import { hashWords, OwnTextHashes } from "./hashes.ts";
import type { Derived, Step } from "./step.ts";

const KIND = "visitor";

/** What is stored of a merchant's visitor with an SDK's id: the 64-bit hash, signed, as a bigint column has it. */
export function visitorHash(merchantId: number, visitorId: string): bigint {
  return signed64(...hashWords([KIND, merchantId, visitorId]));
}

/** Stands before persons' ids, as `user_id` and an order's customer tell them. */
export const USER_KIND = "user";

/** Likewise of what a person is told by in `user_id` or as an order's customer. */
function userHash(merchantId: number, id: string): bigint {
  return signed64(...hashWords([USER_KIND, merchantId, id]));
}

/** What is stored of persons' ids, by what they are. */
export const PERSON_HASHES = { visitor: visitorHash, user: userHash, customer: userHash } as const;

function writeUsers(batch: BatchView, derived: Derived): void {
  const ids = batch.text("userId");
  if (ids === undefined) return;
  derived.users = new Uint32Array(2 * batch.rows);
  const hashes = new OwnTextHashes(batch, USER_KIND, derived.users);
  for (let row = 0; row < batch.rows; row++) if (ids[row] !== 0) hashes.write(row, ids[row]!);
}

/**
 * The visitor: the SDK's visitor id; or else address, user agent and the event's UTC day, under the secret of a day
 * (`saltDay`). Hashed together with the merchant, so that one person has nothing in common between two merchants.
 * Storage gives a row without an id the visitor of the day before where it goes on with that visitor's session.
 * Comes after `time`.
 */
export const visitor: Step = {
  name: "visitor",
  version: 4,
  run(batch, derived, { salts }) {
    const ids = batch.text("visitorId");
    const ips = batch.text("ip");
    const agents = batch.text("userAgent");
    const known = new OwnTextHashes(batch, KIND, derived.visitors);
    const cookieless = new CookielessHashes(batch, salts);
    writeUsers(batch, derived);
    for (let row = 0; row < batch.rows; row++) {
      const id = ids?.[row] ?? 0;
      if (id !== 0) known.write(row, id);
      else cookieless.write(derived, row, ips?.[row] ?? 0, agents?.[row] ?? 0, derived.time.get(row));
    }
  },
};
