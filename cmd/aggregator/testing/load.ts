import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { TestBatch } from "../../../test/kit/batches.ts";
import { waitFor } from "../../../test/kit/installation-wait.ts";
import { batchFor, type Rig } from "./rig.ts";

const WAIT_MS = 90_000;
/** Pause between two batches while a test waits for commits, and while it waits for anything else. */
const PACE_MS = { progress: 5, rest: 40 };

/** Events of each batch. */
export const ROWS = 5;

/** Batches published to some partitions in turn, and what must have become of them in the end. */
export class Load {
  readonly #rig: Rig;
  readonly #partitions: readonly number[];
  readonly published: TestBatch[] = [];
  /** Waits for progress that are under way. */
  #waits = 0;

  constructor(rig: Rig, partitions: readonly number[]) {
    this.#rig = rig;
    this.#partitions = partitions;
  }

  /** Publishes batches one after the other, each until it is acked. */
  async publish(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const batch = batchFor(this.#partitions[this.published.length % this.#partitions.length]!, ROWS);
      await this.#rig.publish(batch);
      this.published.push(batch);
    }
  }

  /** Publishes all the time, a batch every some ms, until the returned function is called. */
  keepPublishing(): () => Promise<void> {
    let stopped = false;
    const running = (async () => {
      while (!stopped) {
        await this.publish(1);
        await sleep(this.#waits > 0 ? PACE_MS.progress : PACE_MS.rest);
      }
    })();
    return () => {
      stopped = true;
      return running;
    };
  }

  /** Waits until some batches more than now are committed, in each of some partitions. */
  async progress(batches: number, partitions = this.#partitions): Promise<void> {
    const before = await this.#committed();
    const done = async () => {
      const now = await this.#committed();
      return partitions.every((p) => (now.get(p) ?? 0) >= (before.get(p) ?? 0) + batches);
    };
    this.#waits++;
    try {
      await waitFor(`commits of partitions ${partitions}`, done, WAIT_MS);
    } finally {
      this.#waits--;
    }
  }

  /** Batches in the ledger by partition. */
  async #committed(): Promise<Map<number, number>> {
    const rows = await this.#rig.query<{ partition: number; n: number }>(
      "SELECT partition_id AS partition, count(*)::integer AS n FROM batch_ledger GROUP BY 1",
    );
    return new Map(rows.map(({ partition, n }) => [partition, n]));
  }

  /** Everything that was published is there once, in rows, ledger and aggregate, and nothing was given up. */
  async expectAllOnce(): Promise<void> {
    const rows = this.published.length * ROWS;
    const done = async () => {
      const now = (await this.#rig.query<Record<string, number>>(COUNTS))[0]!;
      return now.batches === this.published.length && now.stale === 0 && now;
    };
    expect(await waitFor(`${this.published.length} batches in the ledger`, done, WAIT_MS)).toEqual({
      batches: this.published.length,
      stored: rows,
      others: 0,
      rows,
      ids: rows,
      gaps: 0,
      totals: rows,
      stale: 0,
    });
  }
}

const COUNTS = `SELECT (SELECT count(*) FROM batch_ledger)::integer AS batches,
  (SELECT sum(stored) FROM batch_ledger)::integer AS stored,
  (SELECT sum(duplicates + dead_lettered) FROM batch_ledger)::integer AS others,
  (SELECT count(*) FROM events)::integer AS rows,
  (SELECT count(DISTINCT event_id) FROM events)::integer AS ids,
  (SELECT count(*) FROM stream_gaps)::integer AS gaps,
  (SELECT sum(events) FROM totals_15m)::integer AS totals,
  (SELECT count(*) FROM invalidations WHERE grain = '15m')::integer AS stale`;
