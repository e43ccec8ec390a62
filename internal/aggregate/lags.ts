import type { AggregateMetrics } from "./metrics.ts";

/** How far behind the stream each partition of this process was at its last commit or heartbeat. */
export class Lags {
  readonly #gauge: AggregateMetrics["lag"];
  readonly #ms = new Map<number, number>();

  constructor(metrics: AggregateMetrics) {
    this.#gauge = metrics.lag;
  }

  set(partition: number, ms: number): void {
    this.#ms.set(partition, ms);
    this.#gauge.set({ partition }, ms / 1_000);
  }

  /** The partition is not worked here any more. */
  remove(partition: number): void {
    this.#ms.delete(partition);
    this.#gauge.remove({ partition });
  }

  /** The longest, ms; 0 without partitions. */
  longest(): number {
    return Math.max(0, ...this.#ms.values());
  }
}
