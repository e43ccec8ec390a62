import type { Logger } from "../telemetry/logger.ts";
import { StreamChangedError } from "./stream-check.ts";
import { eventsStream, StreamGoneError } from "./streams.ts";

export interface ChangeOptions {
  readonly log: Logger;
  /** How long a stream may be another than what was committed of it before the position goes back, ms. */
  readonly streamChangedMs: number;
  /** Moves the position back. @returns whether it still was `from`. */
  readonly rewind: (range: { readonly from: number; readonly to: number }) => Promise<boolean>;
  /** The position went back. */
  readonly onRewind: () => void;
}

/**
 * Watches for a stream that is not what is committed of it any more. A new leader of the stream may need a moment to
 * know all that it has; a broker that lost batches never will. Then the position goes back to the stream's
 * beginning, so that no batch that took an old sequence is passed over.
 */
export class StreamChanged {
  readonly #stream: string;
  readonly #options: ChangeOptions;
  #since: number | undefined;
  /** The last sequence that the stream was known to have. */
  #lastSeen = 0;
  #isGone = false;

  constructor(partition: number, options: ChangeOptions) {
    this.#stream = eventsStream(partition);
    this.#options = options;
  }

  /** A feed was opened: the stream is the one that was read. */
  opened(): void {
    this.#since = undefined;
    this.#isGone = false;
  }

  /** The stream has batches up to a sequence. */
  seen(lastSeq: number): void {
    this.#lastSeen = Math.max(this.#lastSeen, lastSeq);
  }

  /** A feed failed, or could not be opened. Resolves when the position went back, if that was due. */
  async failed(error: unknown): Promise<void> {
    if (error instanceof StreamGoneError) this.#gone(error);
    if (!(error instanceof StreamChangedError)) return;
    this.#since ??= performance.now();
    const { log, streamChangedMs, rewind, onRewind } = this.#options;
    if (performance.now() - this.#since < streamChangedMs) return;
    const { position: from, beginning: to } = error;
    if (!(await rewind({ from, to }))) return;
    this.#since = undefined;
    onRewind();
    const about = { err: error, stream: this.#stream, from, to, lost: this.#lostBehind(from) };
    this.#lastSeen = to;
    log.error(about, `the stream ${this.#stream} lost batches: its position went back from ${from} to ${to}`);
  }

  /** Said once, however often it is seen. */
  #gone(err: StreamGoneError): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#options.log.error({ err, stream: err.stream }, err.message);
  }

  /** Sequences that the stream is known to have had and that were not committed; it may have had more. */
  #lostBehind(position: number): { first: number; last: number } | undefined {
    if (this.#lastSeen <= position) return undefined;
    return { first: position + 1, last: this.#lastSeen };
  }
}
