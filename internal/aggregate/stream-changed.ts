import type { Pool } from "../store/pool.ts";
import { rewindPosition } from "../store/positions.ts";
import { StreamChangedError } from "../stream/stream-check.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AggregateMetrics } from "./metrics.ts";

export interface RewindDeps {
  readonly pool: Pool;
  readonly metrics: AggregateMetrics;
  readonly log: Logger;
  /** How long a stream may be another than what was committed of it before the position goes back, ms. */
  readonly streamChangedMs: number;
}

/**
 * Watches for a stream that is not what is committed of it any more. A new leader of the stream may need a moment to
 * know all that it has; a broker that lost batches never will. Then the position goes back to the stream's
 * beginning, so that no batch that took an old sequence is passed over. Nothing is counted twice by that: the ledger
 * knows the batches that come again.
 */
export class StreamChanged {
  readonly #deps: RewindDeps;
  readonly #partition: number;
  #since: number | undefined;

  constructor(partition: number, deps: RewindDeps) {
    this.#partition = partition;
    this.#deps = deps;
  }

  /** A feed was opened: the stream is the one that was read. */
  opened(): void {
    this.#since = undefined;
  }

  /** A feed failed, or could not be opened. Resolves when the position went back, if that was due. */
  async failed(error: unknown): Promise<void> {
    if (!(error instanceof StreamChangedError)) return;
    this.#since ??= performance.now();
    const { pool, metrics, log, streamChangedMs } = this.#deps;
    if (performance.now() - this.#since < streamChangedMs) return;
    const { position: from, beginning: to } = error;
    if (!(await rewindPosition(pool, this.#partition, { from, to }))) return;
    this.#since = undefined;
    metrics.rewinds.inc({ partition: this.#partition });
    log.error(
      { err: error, partition: this.#partition, from, to },
      "the stream lost batches: position went back",
    );
  }
}
