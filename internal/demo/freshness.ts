import { setTimeout as sleep } from "node:timers/promises";
import type { CreatedMerchant } from "../store/merchants.ts";
import { type Delay, quantile } from "./quantile.ts";
import type { Reports } from "./reports.ts";

/** Events that were sent together. Times are ms since 1970-01-01 UTC. */
export interface SentEvents {
  readonly merchant: CreatedMerchant;
  readonly events: number;
  readonly sentMs: number;
  readonly ackedMs: number;
}

/** Shortest pause between asking all merchants' reports how fresh they are, ms. */
const POLL_MS = 50;

/**
 * Watches from outside how soon events can be seen: an event counts as reportable at the first answer whose
 * data_through is not before the event's ack.
 */
export class FreshnessWatch {
  readonly #reports: Reports;
  readonly #waiting = new Set<SentEvents>();
  /** Delay of each group of events and how many they were. */
  readonly #delays: Delay[] = [];
  readonly #stopped = new AbortController();
  #polling: Promise<void> | undefined;

  constructor(reports: Reports) {
    this.#reports = reports;
  }

  add(sent: SentEvents): void {
    this.#waiting.add(sent);
    this.#polling ??= this.#poll();
  }

  /** Waits until all events are reportable. @returns false when that takes longer than `timeoutMs`. */
  async settled(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (this.#waiting.size > 0 && Date.now() < deadline) await sleep(POLL_MS);
    this.#stopped.abort();
    await this.#polling;
    return this.#waiting.size === 0;
  }

  /** 99th percentile over events, ms; 0 when nothing was sent. */
  get p99Ms(): number {
    return quantile(this.#delays, 0.99);
  }

  async #poll(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const merchants = new Set([...this.#waiting].map(({ merchant }) => merchant));
      const startMs = performance.now();
      for (const merchant of merchants) await this.#ask(merchant);
      // Half of the time is the others': what is watched needs the same database.
      await sleep(Math.max(POLL_MS, performance.now() - startMs));
    }
  }

  async #ask(merchant: CreatedMerchant): Promise<void> {
    // A query service that is being restarted answers the next time.
    const through = await this.#reports.dataThrough(merchant).catch(() => 0);
    const now = Date.now();
    for (const sent of this.#waiting) {
      if (sent.merchant !== merchant || sent.ackedMs > through) continue;
      this.#waiting.delete(sent);
      this.#delays.push({ ms: now - sent.sentMs, events: sent.events });
    }
  }
}
