import type { BatchView } from "../../event/batch-view.ts";
import { SESSION_GAP_MS } from "../../store/sessions/join.ts";
import { DAY_MS, hashWords, putWords, utcDay, type Words } from "./hashes.ts";
import { HmacSha256 } from "./hmac.ts";
import type { Derived, StepContext } from "./step.ts";

/**
 * The day whose salt hides a visitor without an id: the event's, if it came on that day or a neighbouring one, so that
 * an event that crosses midnight on its way meets its visitor; else the day on which it came, since the salt of the
 * event's own day is destroyed. Days are UTC days since 1970-01-01.
 */
export function saltDay(eventDay: number, receivedDay: number): number {
  return Math.abs(eventDay - receivedDay) <= 1 ? eventDay : receivedDay;
}

/** The days whose salts a batch's visitors without an id may need. */
export function saltDays(batch: BatchView): Set<number> {
  const ids = batch.text("visitorId");
  const days = new Set<number>();
  let last = Number.NaN;
  for (let row = 0; row < batch.rows; row++) {
    if ((ids?.[row] ?? 0) !== 0) continue;
    const received = batch.receivedTime.get(row);
    // Tomorrow's in the last hour of a day: an event may seem to be a little later than it came.
    const [day, next] = [utcDay(received), utcDay(received + 2 * SESSION_GAP_MS)];
    if (day + next === last) continue;
    last = day + next;
    days
      .add(day - 1)
      .add(day)
      .add(next);
  }
  return days;
}

interface Hashes {
  readonly own: Words;
  readonly before: Words;
  /** Made when a row asks for it. */
  after: Words | undefined;
}

type Target = Pick<Derived, "visitors" | "visitorsBefore" | "visitorsAfter">;

/**
 * Hashes of a batch's visitors without an id: of merchant, address, user agent and UTC day, keyed with the salt of a
 * day. With that of an event's day come those that its visitor has on the neighbouring days, by which storage finds
 * a visit that is under way at midnight.
 */
export class CookielessHashes {
  readonly #batch: BatchView;
  readonly #salts: StepContext["salts"];
  readonly #keyed = new Map<number, HmacSha256>();
  readonly #known = new Map<string, Hashes>();

  constructor(batch: BatchView, salts: StepContext["salts"]) {
    this.#batch = batch;
    this.#salts = salts;
  }

  /**
   * @param ip and agent as indexes of the batch's dictionary. @param time of the event, ms since 1970-01-01 UTC.
   * @throws when there is no salt: a hash without a secret would tell the address to whoever tries them all.
   */
  write(to: Target, row: number, ip: number, agent: number, time: number): void {
    const merchant = this.#batch.merchantIds[row]!;
    const day = utcDay(time);
    const received = utcDay(this.#batch.receivedTime.get(row));
    const hashOf = (of: number) => this.#hash(merchant, ip, agent, of, saltDay(of, received));
    const key = `${merchant} ${ip} ${agent} ${day} ${received}`;
    let hashes = this.#known.get(key);
    if (hashes === undefined) {
      hashes = { own: hashOf(day), before: hashOf(day - 1), after: undefined };
      this.#known.set(key, hashes);
    }
    putWords(to.visitors, row, hashes.own);
    putWords(to.visitorsBefore, row, hashes.before);
    if (time + SESSION_GAP_MS < (day + 1) * DAY_MS) return;
    hashes.after ??= hashOf(day + 1);
    putWords(to.visitorsAfter, row, hashes.after);
  }

  #hash(merchant: number, ip: number, agent: number, day: number, salted: number): Words {
    const { dictionary } = this.#batch;
    const parts = ["cookieless", merchant, dictionary.text(ip) ?? "", dictionary.text(agent) ?? "", day];
    return hashWords(parts, this.#keyedOf(salted));
  }

  #keyedOf(day: number): HmacSha256 {
    let keyed = this.#keyed.get(day);
    if (keyed === undefined) {
      const salt = this.#salts.get(day);
      if (salt === undefined) throw new Error(`visitor: no salt of day ${day}`);
      keyed = new HmacSha256(salt);
      this.#keyed.set(day, keyed);
    }
    return keyed;
  }
}
