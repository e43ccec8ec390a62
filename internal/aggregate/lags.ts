import type { Position } from "../store/positions.ts";
import type { StreamEnd } from "../stream/streams.ts";
import type { AggregateMetrics } from "./metrics.ts";

/** What is known of a partition. */
interface Known {
  /** The last position that was read or committed here. */
  position: Position | undefined;
  /** Since when the oldest batch that is not committed waits, by performance.now(); undefined: none does. */
  waitingSince: number | undefined;
  /** Its sequence, and what JetStream says of when it was stored, ms. */
  next: { seq: number; storedTime: number | undefined } | undefined;
  /** Broker's time, ms, at which all of the stream was committed. */
  caughtUpTime: number | undefined;
}

/** Asks the stream when it stored a sequence, ms; undefined for one that is not there any more. */
export type FindStoredTime = (seq: number) => Promise<number | undefined>;

/**
 * The age of the oldest batch that is not committed, of every partition, whoever works it or nobody does. Where the
 * database or JetStream cannot be asked, the last that was known goes on growing older.
 */
export class Lags {
  readonly #known: readonly Known[];

  constructor({ lag }: Pick<AggregateMetrics, "lag">, partitions: number) {
    this.#known = Array.from({ length: partitions }, () => ({
      position: undefined,
      waitingSince: undefined,
      next: undefined,
      caughtUpTime: undefined,
    }));
    const collect = () => {
      for (const [partition] of this.#known.entries()) lag.set({ partition }, this.of(partition) / 1_000);
    };
    collect();
    Object.assign(lag, { collect });
  }

  /** The lag of a partition, ms; 0 while nothing waits. */
  of(partition: number): number {
    const since = this.#known[partition]!.waitingSince;
    return since === undefined ? 0 : performance.now() - since;
  }

  /** The longest, ms. */
  longest(): number {
    return this.#known.reduce((longest, _, partition) => Math.max(longest, this.of(partition)), 0);
  }

  /** A position was read. It may be older than one committed meanwhile, for a moment. */
  committed(partition: number, position: Position): void {
    this.#known[partition]!.position = position;
  }

  /** The stream ends there now: how old is what lies behind the position? */
  async streamEnds(partition: number, end: StreamEnd, find: FindStoredTime): Promise<void> {
    const known = this.#known[partition]!;
    const { position } = known;
    if (position === undefined) return;
    if (end.lastSeq <= position.seq) {
      known.caughtUpTime = end.time;
      known.next = undefined;
      known.waitingSince = undefined;
      return;
    }
    const seq = Math.max(position.seq + 1, end.firstSeq);
    const stuck = known.next?.seq === seq ? known.next.storedTime : undefined;
    const storedTime = stuck ?? (await this.#storedTimeOf(known, seq, end, find));
    known.next = { seq, storedTime };
    // While nothing better is known: it was stored behind what is committed, and after all was.
    const bound = Math.max(position.storedTime ?? 0, known.caughtUpTime ?? 0);
    const waitingMs = Math.max(0, end.time - (storedTime ?? bound));
    known.waitingSince = performance.now() - waitingMs;
  }

  /** Asked of the stream, which answers with the whole batch, only for one that still waits at the second look. */
  async #storedTimeOf(known: Known, seq: number, end: StreamEnd, find: FindStoredTime) {
    if (seq === end.firstSeq) return end.firstTime;
    if (seq === end.lastSeq) return end.lastTime;
    const isKnown = known.caughtUpTime !== undefined || known.position?.storedTime !== undefined;
    return isKnown && known.next?.seq !== seq ? undefined : await find(seq);
  }
}
