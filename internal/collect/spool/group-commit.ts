import type { SpoolBatch } from "./store.ts";

/** Most of one transaction, so that the write-ahead log stays short. */
const GROUP = { batches: 1_024, bytes: 4 << 20 };

/** Pause before removing is tried again, ms. */
const RETRY_MS = 1_000;

interface Writing {
  readonly batch: SpoolBatch;
  readonly done: PromiseWithResolvers<number>;
}

/** Writes and removes in transactions, one at a time: all that waits meanwhile goes into the next one. */
export class GroupCommit {
  readonly #apply: (insert: SpoolBatch[], remove: number[]) => Promise<readonly number[]>;
  readonly #writing: Writing[] = [];
  #removing: number[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  /** Set while removing has just failed. */
  #pause: NodeJS.Timeout | undefined;

  /** @param apply one transaction; resolves with the positions of what was put in. */
  constructor(apply: (insert: SpoolBatch[], remove: number[]) => Promise<readonly number[]>) {
    this.#apply = apply;
  }

  /** Bytes that are not yet written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves with the batch's position when it is on disk. */
  write(batch: SpoolBatch): Promise<number> {
    const done = Promise.withResolvers<number>();
    this.#writing.push({ batch, done });
    this.#bytes += batch.bytes.length;
    this.#start();
    return done.promise;
  }

  /** Removes a position in the end, however often that fails at first. */
  remove(position: number): void {
    this.#removing.push(position);
    this.#start();
  }

  /** Ends when what waits is done, or was tried once more. */
  async close(): Promise<void> {
    this.#resume();
    await this.#running;
    clearTimeout(this.#pause);
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What is asked for in this turn of the event loop belongs together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#writing.length > 0 || (this.#removing.length > 0 && this.#pause === undefined)) {
      await this.#commit(this.#nextGroup(), this.#pause === undefined ? this.#removing.splice(0) : []);
    }
    // In the same turn as the last look: what is asked for from here on starts another run.
    this.#running = undefined;
  }

  #nextGroup(): Writing[] {
    let bytes = 0;
    let count = 0;
    for (const { batch } of this.#writing) {
      bytes += batch.bytes.length;
      if (count > 0 && (bytes > GROUP.bytes || count >= GROUP.batches)) break;
      count++;
    }
    return this.#writing.splice(0, count);
  }

  async #commit(group: readonly Writing[], remove: number[]): Promise<void> {
    const insert = group.map(({ batch }) => batch);
    try {
      const positions = await this.#apply(insert, remove);
      for (const [index, { done }] of group.entries()) done.resolve(positions[index]!);
    } catch (error) {
      for (const { done } of group) done.reject(error);
      this.#removing.push(...remove);
      // Where there is no room for batches, there may still be for removing some: that is tried at once, alone.
      if (group.length === 0) this.#pause = setTimeout(() => this.#resume(), RETRY_MS);
    } finally {
      for (const { bytes } of insert) this.#bytes -= bytes.length;
    }
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (this.#removing.length > 0) this.#start();
  }
}
