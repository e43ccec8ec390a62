import { setImmediate } from "node:timers/promises";
import type { BatchWrite } from "../store/ledger.ts";
import { type PrepareOptions, prepare, type ReadBatch } from "./prepare.ts";
import type { StepContexts } from "./step-contexts.ts";

export interface PreparerOptions extends Omit<PrepareOptions, "context"> {
  readonly contexts: Pick<StepContexts, "of">;
}

/** How long what was prepared ahead may be used, ms: what the steps knew then (StepContexts) is to be known still. */
const AHEAD_MS = 10_000;

interface Ready {
  readonly write: BatchWrite | undefined;
  /** By performance.now. */
  readonly until: number;
}

/** Prepares batches for their commit, some of them while the commit before is still under way. */
export class Preparer {
  readonly #options: PreparerOptions;
  readonly #ready = new WeakMap<ReadBatch, Ready>();

  constructor(options: PreparerOptions) {
    this.#options = options;
  }

  /** Prepares a batch for a later `all`; what fails now will be tried, and fail, there. */
  async ahead(batch: ReadBatch): Promise<void> {
    const until = performance.now() + AHEAD_MS;
    try {
      const [write] = await this.#prepare([batch]);
      this.#ready.set(batch, { write, until });
    } catch {
      // As in the docstring.
    }
  }

  /**
   * Prepares batches one after the other; in between, the statements of other partitions' commits are answered. What
   * was prepared ahead is given away once: a commit that failed begins anew.
   * @throws ProcessingError when a step fails; what the database says of the steps' context.
   */
  async all(batches: readonly ReadBatch[]): Promise<BatchWrite[]> {
    const now = performance.now();
    const ready = batches.map((batch) => this.#take(batch, now));
    const prepared = await this.#prepare(batches.filter((_, at) => ready[at] === undefined));
    let next = 0;
    const writes = ready.map((one) => (one === undefined ? prepared[next++] : one.write));
    return writes.filter((write) => write !== undefined);
  }

  #take(batch: ReadBatch, now: number): Ready | undefined {
    const ready = this.#ready.get(batch);
    this.#ready.delete(batch);
    return ready !== undefined && now < ready.until ? ready : undefined;
  }

  async #prepare(batches: readonly ReadBatch[]): Promise<(BatchWrite | undefined)[]> {
    if (batches.length === 0) return [];
    const { contexts, ...options } = this.#options;
    const context = await contexts.of(batches.flatMap(({ view }) => view ?? []));
    const prepared: (BatchWrite | undefined)[] = [];
    for (const batch of batches) {
      prepared.push(prepare(batch, { ...options, context }));
      await setImmediate();
    }
    return prepared;
  }
}
