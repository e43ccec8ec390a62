/**
 * Watches for a feed that delivers nothing although its stream has more: brokers have been seen to lose the leader of
 * a consumer without telling anybody. A new feed makes the consumer anew.
 */
export class FeedStall {
  readonly #partition: number;
  readonly #longestMs: number;
  #since: number | undefined;

  constructor(partition: number, longestMs: number) {
    this.#partition = partition;
    this.#longestMs = longestMs;
  }

  /** A batch came. */
  delivered(): void {
    this.#since = undefined;
  }

  /** Nothing came for a while. @throws when it has gone on for too long although the stream has more. */
  heartbeat(isBehind: boolean): void {
    if (!isBehind) {
      this.#since = undefined;
      return;
    }
    this.#since ??= performance.now();
    const ms = performance.now() - this.#since;
    if (ms <= this.#longestMs) return;
    throw new Error(
      `partition ${this.#partition}: the feed delivered nothing for ${Math.round(ms)} ms, its stream has more`,
    );
  }
}
