import type { Pool } from "../pool.ts";

/** How many a process knows at once: 28 bytes each. */
const SLOTS = 2 ** 18;

/** A visitor's people's or bots' events of a commit. */
export interface VisitorTimes {
  readonly merchantId: number;
  /** Low and high word of the visitor's hash. */
  readonly low: number;
  readonly high: number;
  readonly isBot: boolean;
  /** The earliest event, ms since 1970-01-01 UTC. */
  readonly firstTime: number;
  /** The month of the latest (monthOf). */
  readonly month: number;
}

/**
 * What is known to stand in the table `visitors`: that a visitor's time is no later than one that was written, and the
 * month no earlier. Times there only become earlier and months later, whoever writes, so that what is known stays
 * true; but for an erasure, after which everything of its partition is forgotten, and for retention, which removes
 * only those whose next event has a later month.
 *
 * One slot for each hash: whoever comes last takes it. To know too little costs a look into the table, no more.
 */
export class KnownVisitors {
  readonly #merchants = new Uint32Array(SLOTS);
  readonly #lows = new Uint32Array(SLOTS);
  readonly #highs = new Uint32Array(SLOTS);
  readonly #firstTimes = new Float64Array(SLOTS);
  readonly #months = new Uint32Array(SLOTS);
  /** Of the partition's knowledge; twice that, and one more for bots. 0: an empty slot. */
  readonly #generations = new Uint32Array(SLOTS);
  readonly #partitions = new Map<number, { version: number; generation: number }>();
  #generation = 0;

  /** @returns the generation of what is known of a partition's visitors, as of a version of its erasures. */
  generationOf(partition: number, erasureVersion: number): number {
    const known = this.#partitions.get(partition);
    if (known?.version === erasureVersion) return known.generation;
    const generation = ++this.#generation;
    this.#partitions.set(partition, { version: erasureVersion, generation });
    return generation;
  }

  /** Forgets a partition's visitors: its database may be another one than it was. */
  forget(partition: number): void {
    this.#partitions.delete(partition);
  }

  /** Whether an event changes nothing. */
  covers(generation: number, event: VisitorTimes): boolean {
    const slot = slotOf(event);
    return (
      this.#generations[slot] === 2 * generation + Number(event.isBot) &&
      this.#lows[slot] === event.low &&
      this.#highs[slot] === event.high &&
      this.#merchants[slot] === event.merchantId &&
      this.#firstTimes[slot]! <= event.firstTime &&
      this.#months[slot]! >= event.month
    );
  }

  /** Notes what is committed. */
  add(generation: number, written: VisitorTimes): void {
    const slot = slotOf(written);
    this.#generations[slot] = 2 * generation + Number(written.isBot);
    this.#lows[slot] = written.low;
    this.#highs[slot] = written.high;
    this.#merchants[slot] = written.merchantId;
    this.#firstTimes[slot] = written.firstTime;
    this.#months[slot] = written.month;
  }
}

function slotOf({ merchantId, low, isBot }: VisitorTimes): number {
  return ((low ^ Math.imul(merchantId, 0x9e3779b1)) & (SLOTS - 1)) ^ Number(isBot);
}

const pools = new WeakMap<Pool, KnownVisitors>();

/** What a process knows of a database. */
export function knownVisitors(pool: Pool): KnownVisitors {
  let known = pools.get(pool);
  if (known === undefined) pools.set(pool, (known = new KnownVisitors()));
  return known;
}
