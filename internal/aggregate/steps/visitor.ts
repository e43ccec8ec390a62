import type { BatchView } from "../../event/batch-view.ts";
import { HashCache, hashWords, OwnTextHashes, utcDay } from "./hash-cache.ts";
import type { Step } from "./step.ts";

/**
 * The day whose salt hides a visitor without an id: the event's, if it came on that day or the next, so that an
 * event that crosses midnight on its way meets its visitor; else the day on which it came, since the salt of the
 * event's own day is destroyed. Days are UTC days since 1970-01-01.
 */
export function saltDay(eventDay: number, receivedDay: number): number {
  return eventDay === receivedDay - 1 ? eventDay : receivedDay;
}

/** The days whose salts a batch's visitors without an id may need. */
export function saltDays(batch: BatchView): Set<number> {
  const ids = batch.text("visitorId");
  const days = new Set<number>();
  let last = Number.NaN;
  for (let row = 0; row < batch.rows; row++) {
    if ((ids?.[row] ?? 0) !== 0) continue;
    const day = utcDay(batch.receivedTime.get(row));
    if (day === last) continue;
    last = day;
    days.add(day).add(day - 1);
  }
  return days;
}

const KIND = "visitor";

/** What is stored of a merchant's visitor with an SDK's id: the 64-bit hash, signed, as a bigint column has it. */
export function visitorHash(merchantId: number, visitorId: string): bigint {
  const [low, high] = hashWords([KIND, merchantId, visitorId]);
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

/**
 * The visitor: the SDK's visitor id; or else address, user agent and the event's UTC day, under the secret of a day
 * (`saltDay`). Hashed together with the merchant, so that one person has nothing in common between two merchants.
 * Comes after `time`.
 */
export const visitor: Step = {
  name: "visitor",
  version: 2,
  run(batch, { time, visitors }, { salts }) {
    const ids = batch.text("visitorId");
    const ips = batch.text("ip");
    const agents = batch.text("userAgent");
    const known = new OwnTextHashes(batch, KIND, visitors);
    const cookieless = new HashCache();
    for (let row = 0; row < batch.rows; row++) {
      const id = ids?.[row] ?? 0;
      if (id !== 0) {
        known.write(row, id);
        continue;
      }
      const merchant = batch.merchantIds[row]!;
      const day = utcDay(time.get(row));
      const salt = saltDay(day, utcDay(batch.receivedTime.get(row)));
      const [ip, agent] = [ips?.[row] ?? 0, agents?.[row] ?? 0];
      const parts = () => [
        "cookieless",
        merchant,
        batch.dictionary.text(ip) ?? "",
        batch.dictionary.text(agent) ?? "",
        day,
      ];
      const key = `${merchant} ${ip} ${agent} ${day} ${salt}`;
      cookieless.write(visitors, row, key, parts, saltOf(salts, salt));
    }
  },
};

function saltOf(salts: ReadonlyMap<number, Uint8Array>, day: number): Uint8Array {
  const salt = salts.get(day);
  // A hash without a secret would tell the address to whoever tries them all.
  if (salt === undefined) throw new Error(`visitor: no salt of day ${day}`);
  return salt;
}
