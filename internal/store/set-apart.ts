/** A span of aggregates whose refresh failed. */
export interface FailedSpan {
  readonly aggregates: readonly string[];
  /** As PostgreSQL reads them. */
  readonly from: string;
  readonly to: string;
  /** The merchant whose rows make it fail; undefined where that was not found out. */
  readonly merchantId: number | undefined;
  readonly error: unknown;
  /** How often it has failed one time after another. */
  readonly failures: number;
  /** When it is tried again, ms from now. */
  readonly pauseMs: number;
}

/** Pauses of a span that fails, ms: each twice as long as the last. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 3_600_000;

interface Failing {
  readonly failures: number;
  readonly due: number;
}

/**
 * Spans whose refresh fails, for whatever reason: they wait, each for longer from time to time, while all others go on.
 * What waits stays noted as stale, so that reports count it from the rows. Kept in memory: whoever refreshes next tries
 * each of them at once.
 */
export class SetApart {
  readonly #failing = new Map<string, Failing>();
  readonly #now: () => number;
  readonly #tell: (span: FailedSpan) => void;

  /** @param now ms, from any beginning. */
  constructor(tell: (span: FailedSpan) => void = () => {}, now: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** How many spans there are that failed at their last try. */
  get size(): number {
    return [...this.#failing.values()].filter(({ failures }) => failures > 0).length;
  }

  /** Whether it, or a longer span that it is a part of, failed at its last try. */
  hasFailed(key: string): boolean {
    return this.#failing.has(key);
  }

  /** Notes that a longer span failed, which may be because of this part of it: it is to be tried alone, at once. */
  suspect(key: string): void {
    if (!this.#failing.has(key)) this.#failing.set(key, { failures: 0, due: this.#now() });
  }

  /** Whether it is not to be tried yet. */
  isWaiting(key: string): boolean {
    return this.#now() < (this.#failing.get(key)?.due ?? Number.NEGATIVE_INFINITY);
  }

  failed(key: string, span: Omit<FailedSpan, "failures" | "pauseMs">): void {
    const failures = (this.#failing.get(key)?.failures ?? 0) + 1;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
    this.#failing.set(key, { failures, due: this.#now() + pauseMs });
    this.#tell({ ...span, failures, pauseMs });
  }

  succeeded(key: string): void {
    this.#failing.delete(key);
  }

  /** Forgets all keys with a beginning but those that are still to be refreshed: others may have done it. */
  retain(beginning: string, keys: Iterable<string>): void {
    if (this.#failing.size === 0) return;
    const kept = new Set(keys);
    for (const key of this.#failing.keys()) {
      if (key.startsWith(beginning) && !kept.has(key)) this.#failing.delete(key);
    }
  }
}
