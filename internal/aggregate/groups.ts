import { setImmediate } from "node:timers/promises";
import type { PartitionFeed, StreamBatch } from "../stream/partition-feed.ts";
import type { ReadBatch } from "./prepare.ts";

export interface GroupOptions {
  readonly feed: Pick<PartitionFeed, "next">;
  readonly read: (message: StreamBatch) => ReadBatch;
  /** Does what can be done of a batch's work before its group is committed; never fails. */
  readonly prepareAhead: (batch: ReadBatch) => Promise<void>;
  /** Most rows of a group; a single batch may have more. */
  readonly maxRows: number;
}

/** How long reading ahead waits for a batch before it asks again, ms. */
const AHEAD_WAIT_MS = 60_000;

/**
 * A feed's batches in groups, each of which is committed as one. While a group is committed, the next one's batches
 * are read and prepared as they come, so that neither this process nor the database waits for the other.
 */
export class Groups {
  readonly #options: GroupOptions;
  /** Read, and in no group yet; of at most one group's rows and a batch more. */
  readonly #upcoming: ReadBatch[] = [];
  #stop = new AbortController();
  #ahead: Promise<void> = Promise.resolve();
  /** What the feed failed with while it was read ahead. */
  #failed: { readonly error: unknown } | undefined;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /**
   * The batches that are there, up to the most rows of a group; empty when none came within `waitMs`, or before the
   * signal was aborted. Ends the reading ahead.
   * @throws what the feed throws, now or while it was read ahead. What is in no group yet comes again from a new feed.
   */
  async next(waitMs: number, signal: AbortSignal): Promise<readonly ReadBatch[]> {
    await this.stopAhead();
    const group: ReadBatch[] = [];
    let rows = 0;
    for (;;) {
      const batch = this.#upcoming[0] ?? (await this.#read(group.length === 0 ? waitMs : 0, signal));
      if (batch === undefined) return group;
      rows += rowsOf(batch);
      if (group.length > 0 && rows > this.#options.maxRows) return group;
      group.push(this.#upcoming.shift()!);
    }
  }

  /** Begins to read and prepare what the next group will hold. */
  readAhead(): void {
    this.#stop = new AbortController();
    this.#ahead = this.#prepareUpcoming(this.#stop.signal).catch((error: unknown) => {
      this.#failed = { error };
    });
  }

  async stopAhead(): Promise<void> {
    this.#stop.abort();
    await this.#ahead;
  }

  async #prepareUpcoming(signal: AbortSignal): Promise<void> {
    let rows = 0;
    for (let at = 0; rows < this.#options.maxRows && !signal.aborted; ) {
      const batch = this.#upcoming[at] ?? (await this.#read(AHEAD_WAIT_MS, signal));
      if (batch === undefined) continue;
      at++;
      rows += rowsOf(batch);
      await this.#options.prepareAhead(batch);
      await setImmediate();
    }
  }

  async #read(waitMs: number, signal: AbortSignal): Promise<ReadBatch | undefined> {
    if (this.#failed !== undefined) throw this.#failed.error;
    const message = await this.#options.feed.next(waitMs, signal);
    if (message === undefined) return undefined;
    const batch = this.#options.read(message);
    this.#upcoming.push(batch);
    return batch;
  }
}

function rowsOf(batch: ReadBatch): number {
  return batch.sealed?.rows ?? 0;
}
