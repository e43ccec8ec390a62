import { createHistogram } from "node:perf_hooks";

/** What became of the events so far. Once sending has ended, sent is the sum of the four outcomes. */
export interface Totals {
  /** Distinct events that were sent at least once. */
  readonly sent: number;
  readonly accepted: number;
  /** Answered DUPLICATE and never before: safe, though the answer to an earlier try was lost. */
  readonly duplicates: number;
  readonly rejected: number;
  /** Given up on: not known to be stored. */
  readonly unanswered: number;
  /** Requests that were sent again, in whole or in part. */
  readonly retries: number;
  /** Requests whose events are all answered. */
  readonly requests: number;
}

/** The time from a request's first try to the answer to its last event, milliseconds. */
export interface AckLatency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** One request, when nothing of it is left to send. */
export interface RequestRecord {
  readonly merchant: number;
  readonly events: number;
  readonly unanswered: number;
  /** Of the first try, milliseconds since 1970, UTC. */
  readonly sentMs: number;
  /** Of the last answer, or of giving up. */
  readonly ackedMs: number;
  readonly tries: number;
}

/** Counts; the one place where an event's outcome is written down. */
export class Tally {
  sent = 0;
  accepted = 0;
  duplicates = 0;
  rejected = 0;
  unanswered = 0;
  retries = 0;
  requests = 0;
  /** How often each error was met, by its code and message; the first few different ones. */
  readonly problems = new Map<string, number>();
  // Microseconds: milliseconds would be too coarse for a collector on the same machine.
  readonly #latency = createHistogram({ figures: 3, lowest: 1, highest: 3_600_000_000 });

  get totals(): Totals {
    const { sent, accepted, duplicates, rejected, unanswered, retries, requests } = this;
    return { sent, accepted, duplicates, rejected, unanswered, retries, requests };
  }

  /** undefined before the first answer. */
  get ackLatency(): AckLatency | undefined {
    if (this.#latency.count === 0) return undefined;
    const ms = (percentile: number) => this.#latency.percentile(percentile) / 1_000;
    return { p50Ms: ms(50), p99Ms: ms(99), maxMs: this.#latency.max / 1_000 };
  }

  answered(durationMs: number): void {
    this.requests++;
    this.#latency.record(Math.max(1, Math.round(durationMs * 1_000)));
  }

  problem(text: string): void {
    const known = this.problems.get(text);
    if (known !== undefined || this.problems.size < MAX_PROBLEMS) this.problems.set(text, (known ?? 0) + 1);
  }
}

const MAX_PROBLEMS = 20;
