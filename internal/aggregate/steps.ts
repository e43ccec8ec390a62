import { hash } from "node:crypto";
import { MAX_ENTRIES } from "../event/batch-limits.ts";
import type { BatchView } from "../event/batch-view.ts";

/** Version of the steps as a whole, stored with each row: a replay tells old results from new by it. */
export const PROCESSOR_VERSION = 1;

/** What the steps derive from a batch. */
export interface Derived {
  /** Low and high word of the visitor's 64-bit hash, a pair a row. */
  readonly visitors: Uint32Array;
  /** Likewise of the session. */
  readonly sessions: Uint32Array;
  /** Revenue of each order in the merchant's currency, micros; NaN where it is in another one. */
  readonly convertedRevenue: Float64Array;
}

/** What steps may know beside the batch. */
export interface StepContext {
  /** ISO 4217 code of each merchant in the batch that has an order. */
  readonly currencies: ReadonlyMap<number, string>;
}

export interface Step {
  readonly name: string;
  run(batch: BatchView, derived: Derived, context: StepContext): void;
}

const DAY_MS = 86_400_000;

/**
 * The visitor: the SDK's visitor id, or else address, user agent and UTC day; hashed together with the
 * merchant, so that one person has nothing in common between two merchants.
 */
const visitor: Step = {
  name: "visitor",
  run(batch, { visitors }) {
    const ids = batch.text("visitorId");
    const ips = batch.text("ip");
    const agents = batch.text("userAgent");
    const known = new HashCache<number>();
    const cookieless = new HashCache<string>();
    for (let row = 0; row < batch.rows; row++) {
      const merchant = batch.merchantIds[row]!;
      const id = ids?.[row] ?? 0;
      if (id !== 0) {
        known.write(visitors, row, ownText(merchant, id), () => [
          "visitor",
          merchant,
          batch.dictionary.text(id),
        ]);
        continue;
      }
      const day = utcDay(batch, row);
      cookieless.write(visitors, row, `${merchant} ${ips?.[row]} ${agents?.[row]} ${day}`, () => [
        "cookieless",
        merchant,
        text(batch, ips, row),
        text(batch, agents, row),
        day,
      ]);
    }
  },
};

/** The session: the SDK's session id, or else the visitor's UTC day. Comes after `visitor`. */
const session: Step = {
  name: "session",
  run(batch, { visitors, sessions }) {
    const ids = batch.text("sessionId");
    const known = new HashCache<number>();
    const days = new HashCache<string>();
    for (let row = 0; row < batch.rows; row++) {
      const merchant = batch.merchantIds[row]!;
      const id = ids?.[row] ?? 0;
      if (id !== 0) {
        known.write(sessions, row, ownText(merchant, id), () => [
          "session",
          merchant,
          batch.dictionary.text(id),
        ]);
        continue;
      }
      const who = `${visitors[2 * row + 1]} ${visitors[2 * row]}`;
      const day = utcDay(batch, row);
      days.write(sessions, row, `${who} ${day}`, () => ["day", who, day]);
    }
  },
};

/** Revenue in the merchant's currency: orders in another one are kept and left unconverted. */
const revenue: Step = {
  name: "revenue",
  run(batch, { convertedRevenue }, { currencies }) {
    const rows = batch.order("row");
    const amounts = batch.orderMicros("revenueMicros");
    const codes = batch.order("currency");
    for (let at = 0; at < convertedRevenue.length; at++) {
      const own = currencies.get(batch.merchantIds[rows![at]!]!);
      const given = batch.dictionary.text(codes?.[at] ?? 0);
      convertedRevenue[at] = given === undefined || given === own ? amounts!.get(at) : Number.NaN;
    }
  },
};

/** The steps in their order. Each is pure: the same batch and context give the same result, on every replay. */
export const STEPS: readonly Step[] = [visitor, session, revenue];

/** Runs all steps. @param observe is told how long each took, seconds. */
export function process(
  batch: BatchView,
  context: StepContext,
  observe: (step: string, seconds: number) => void = () => {},
  steps: readonly Step[] = STEPS,
): Derived {
  const derived: Derived = {
    visitors: new Uint32Array(2 * batch.rows),
    sessions: new Uint32Array(2 * batch.rows),
    convertedRevenue: new Float64Array(batch.order("row")?.length ?? 0),
  };
  for (const step of steps) {
    const started = performance.now();
    step.run(batch, derived, context);
    observe(step.name, (performance.now() - started) / 1_000);
  }
  return derived;
}

/** Hashes of a batch's keys: what repeats from row to row is hashed once. */
class HashCache<Key> {
  readonly #words = new Map<Key, readonly [number, number]>();

  /** Writes the first 64 bits of SHA-256 of the parts, as JSON, for a row. */
  write(target: Uint32Array, row: number, key: Key, parts: () => readonly unknown[]): void {
    let words = this.#words.get(key);
    if (words === undefined) {
      const bytes = hash("sha256", JSON.stringify(parts()), "buffer");
      words = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
      this.#words.set(key, words);
    }
    target[2 * row] = words[0];
    target[2 * row + 1] = words[1];
  }
}

/** A merchant and a dictionary index as one number within 2^53. */
function ownText(merchant: number, index: number): number {
  return merchant * (MAX_ENTRIES + 1) + index;
}

function utcDay(batch: BatchView, row: number): number {
  return Math.floor(batch.clientTime.get(row) / DAY_MS);
}

function text(batch: BatchView, indexes: Uint32Array | undefined, row: number): string {
  return batch.dictionary.text(indexes?.[row] ?? 0) ?? "";
}
