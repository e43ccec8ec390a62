import { LRUCache } from "lru-cache";
import type { Column, Counts, Freshness, Table } from "../question/answer.ts";

/** An answer with what is known of its data. */
export interface Kept {
  /** Of its data (data-state.ts). */
  readonly revision: string;
  readonly counts: Counts;
  /** As of the last time at which its data were seen to be of that revision. */
  freshness: Freshness;
  /** Whether its question has further pages. */
  readonly hasMore: boolean;
}

/** What is larger than this share of the whole is not kept. */
const LARGEST_SHARE = 0.25;

/** What an entry takes beside its answer's values, bytes. */
const ENTRY_BYTES = 1_000;

/**
 * Answers, those that were used last, within a bound of bytes. Of a question there is the answer of the newest revision;
 * older ones stay where somebody may still turn to their next page.
 */
export class AnswerCache {
  readonly #entries: LRUCache<string, Kept>;

  /** @param bytes about how much memory they may take; 0: none is kept. */
  constructor(bytes: number) {
    this.#entries = new LRUCache({
      // The library takes 0 for no bound.
      maxSize: Math.max(1, bytes),
      maxEntrySize: Math.max(1, Math.floor(bytes * LARGEST_SHARE)),
      sizeCalculation: ({ counts }) => ENTRY_BYTES + bytesOf(counts.table) + bytesOf(counts.totals),
    });
  }

  /** About how much memory the answers take, bytes. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Whether there is an answer, of any revision or of the one that is asked for. @param key of what was read. */
  has(key: string, revision?: string): boolean {
    const newest = this.#entries.peek(key);
    if (revision === undefined || newest?.revision === revision) return newest !== undefined;
    return this.#entries.has(key + revision);
  }

  /** The answer of one revision, be it an older one. */
  of(key: string, revision: string): Kept | undefined {
    const newest = this.#entries.get(key);
    return newest?.revision === revision ? newest : this.#entries.get(key + revision);
  }

  put(key: string, kept: Kept): void {
    const before = this.#entries.peek(key);
    if (before?.hasMore === true && before.revision !== kept.revision) {
      this.#entries.set(key + before.revision, before);
    }
    this.#entries.set(key, kept);
  }
}

/** Bytes of a table's values, as V8 keeps them, roughly. */
function bytesOf({ columns }: Table): number {
  return columns.reduce((sum, column) => sum + bytesOfColumn(column), 0);
}

function bytesOfColumn(column: Column): number {
  const beside = 8 * (column.standardErrors?.length ?? 0);
  switch (column.kind) {
    case "text":
      return column.values.reduce((sum, text) => sum + 24 + 2 * (text?.length ?? 0), beside);
    case "integer":
    case "money":
      return beside + 32 * column.values.length;
    case "number":
    case "bucket":
      return beside + 8 * column.values.length;
  }
}
