import { failpoint } from "../../failpoint/failpoint.ts";
import { Failure } from "../../failure/failure.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Registry } from "../../telemetry/metrics.ts";
import { GroupCommit } from "./group-commit.ts";
import { type SpoolMetrics, spoolMetrics } from "./metrics.ts";
import type { HeldBack, SpoolBatch, SpooledBatch, StoreOptions, Totals } from "./store.ts";
import { SpoolThread } from "./thread.ts";

export interface SpoolOptions extends StoreOptions {
  /** Most bytes of batches. */
  readonly maxBytes: number;
  /** While its oldest batch is older, the spool takes no other, ms. */
  readonly maxAgeMs: number;
  readonly registry: Registry;
  readonly log: Logger;
  /** Told when the spool's thread has died: nothing can be spooled or drained any more. */
  readonly onDeath: (error: Error) => void;
}

/** Pause after a write that failed, during which no other is tried, ms. */
const RETRY_MS = 1_000;

/** Opens the spool of a folder. @throws Failure that names the file when it cannot be opened. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { dir, minFreeBytes } = options;
  const thread = new SpoolThread({ dir, minFreeBytes }, options.onDeath);
  try {
    const { totals, id } = await thread.opened();
    return new Spool(options, thread, { totals, id: id! });
  } catch (error) {
    await thread.close();
    throw error;
  }
}

/**
 * Batches on disk that wait for ingest, oldest first. A batch is held by whoever wrote or took it, and is not
 * given out again until it is given back; one that is removed is gone for good.
 */
export class Spool {
  readonly metrics: SpoolMetrics;
  /** 16 bytes that stay with the spool's file. */
  readonly id: Uint8Array;
  readonly #options: SpoolOptions;
  readonly #thread: Pick<SpoolThread, "ask" | "close">;
  readonly #commits: GroupCommit;
  #totals: Totals;
  /** Positions that somebody works on, those being removed included. */
  readonly #held = new Set<number>();
  /** Every position up to here is held or removed. */
  #cursor = 0;
  /** Size of the smallest batch that there was no room for; 1 as long as there is room. */
  #refusedBytes = 1;
  /** Set by a write that failed. */
  #failed: { readonly failure: Failure; readonly until: number } | undefined;
  #emptied = Promise.withResolvers<void>();

  constructor(
    options: SpoolOptions,
    thread: Pick<SpoolThread, "ask" | "close">,
    { totals, id }: { readonly totals: Totals; readonly id: Uint8Array },
  ) {
    this.id = id;
    this.#options = options;
    this.#thread = thread;
    this.#totals = totals;
    this.#commits = new GroupCommit((insert, remove) => this.#apply(insert, remove));
    this.metrics = spoolMetrics(options.registry, () => this.#totals);
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** What it holds of each partition. */
  async heldBack(): Promise<readonly HeldBack[]> {
    return (await this.#thread.ask({ op: "heldBack" })).heldBack!;
  }

  /** Batches that nobody works on. */
  get waiting(): number {
    return this.#totals.batches - this.#held.size;
  }

  /** Why a batch would not be taken now, or undefined. */
  get refusal(): Failure | undefined {
    return this.#refusal(this.#refusedBytes)?.failure;
  }

  /**
   * Writes a batch; it is on disk when this resolves, and held.
   * @returns its position.
   * @throws Failure when the spool does not take it: it is full, its oldest batch too old, or the disk failed.
   */
  async write(batch: SpoolBatch): Promise<number> {
    const refusal = this.#refusal(batch.bytes.length);
    if (refusal !== undefined) {
      this.metrics.refused.inc({ reason: refusal.reason });
      throw refusal.failure;
    }
    const { batchId, partition, rows, bytes } = batch;
    return this.#commits.write({ batchId, partition, rows, bytes });
  }

  /** Takes the oldest batches that nobody works on; they are held. Damaged ones are moved to damaged_batches and counted. */
  async take(maxBatches: number, maxBytes: number): Promise<SpooledBatch[]> {
    const after = this.#cursor;
    const skip = [...this.#held].filter((position) => position > after);
    // Who gives a batch back while this reads moves the cursor before it.
    this.#cursor = Number.MAX_SAFE_INTEGER;
    let upTo = after;
    try {
      const answer = await this.#thread.ask({ op: "read", after, skip, maxBatches, maxBytes });
      const read = answer.read!;
      this.#totals = answer.totals;
      upTo = read.upTo;
      for (const { batchId, problem } of read.damaged) {
        this.metrics.damaged.inc();
        this.#options.log.error({ batchId, problem }, "spool: damaged batch, kept in damaged_batches");
      }
      // What was written in the meantime is held by who wrote it.
      const batches = read.batches.filter(({ position }) => !this.#held.has(position));
      for (const { position } of batches) this.#held.add(position);
      return batches;
    } finally {
      this.#cursor = Math.min(this.#cursor, upTo);
    }
  }

  /** Frees a held batch for the drainer. */
  giveBack(position: number): void {
    this.#held.delete(position);
    this.#cursor = Math.min(this.#cursor, position - 1);
  }

  /** Deletes a held batch, soon. */
  remove(position: number): void {
    this.#commits.remove(position);
  }

  /** Resolves when nothing is in the spool, or the signal is aborted. */
  async emptied(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    while (this.#totals.batches > 0 && !signal.aborted) {
      await Promise.race([this.#emptied.promise, aborted]);
    }
  }

  /** Writes and deletes what was asked for, and closes the file. */
  async close(): Promise<void> {
    await this.#commits.close();
    await this.#thread.close();
  }

  #refusal(bytes: number) {
    const { maxBytes, maxAgeMs } = this.#options;
    const refuse = (reason: string, message: string) => {
      return { reason, failure: new Failure("exhausted", `spool: ${message}`, { retryAfterMs: RETRY_MS }) };
    };
    if (this.#failed !== undefined && performance.now() < this.#failed.until) {
      return { reason: "error", failure: this.#failed.failure };
    }
    const spooled = this.#totals.bytes + this.#commits.bytes;
    if (spooled + bytes > maxBytes) {
      this.#refusedBytes = this.#refusedBytes === 1 ? bytes : Math.min(this.#refusedBytes, bytes);
      return refuse("bytes", `is full, ${spooled} of ${maxBytes} bytes`);
    }
    const { oldestTime = Date.now() } = this.#totals;
    if (Date.now() - oldestTime > maxAgeMs) {
      return refuse("age", `its oldest batch is older than ${maxAgeMs} ms`);
    }
    return undefined;
  }

  async #apply(insert: SpoolBatch[], remove: number[]): Promise<readonly number[]> {
    try {
      if (insert.length > 0) failpoint("spool-fsync.before");
      if (remove.length > 0) failpoint("spool-delete.before");
      const answer = await this.#thread.ask({ op: "apply", insert, remove, time: Date.now() });
      if (insert.length > 0) failpoint("spool-fsync.after");
      if (remove.length > 0) failpoint("spool-delete.after");
      const positions = answer.positions!;
      this.#totals = answer.totals;
      if (remove.length > 0) this.#refusedBytes = 1;
      for (const position of remove) this.#held.delete(position);
      for (const position of positions) this.#held.add(position);
      this.metrics.spooled.inc(positions.length);
      if (remove.length > 0 && answer.totals.batches === 0) this.#isEmpty();
      return positions;
    } catch (error) {
      this.#applyFailed(error as Failure, insert.length);
      throw error;
    }
  }

  #applyFailed({ kind, message }: Failure, batches: number): void {
    this.#options.log.error({ problem: message, batches }, "spool: not written");
    if (batches === 0) return;
    this.metrics.refused.inc({ reason: kind === "exhausted" ? "disk" : "error" }, batches);
    const failure = new Failure("exhausted", message, { retryAfterMs: RETRY_MS });
    this.#failed = { failure, until: performance.now() + RETRY_MS };
  }

  #isEmpty(): void {
    this.#emptied.resolve();
    this.#emptied = Promise.withResolvers();
    const failed = (error: Error) =>
      this.#options.log.warn({ err: error }, "spool: its files were not cleared");
    this.#thread.ask({ op: "clear" }).catch(failed);
  }
}
