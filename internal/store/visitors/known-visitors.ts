import type { Pool } from "../pool.ts";

/** How many a process knows at once: 32 bytes each. */
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
  /** The first of the latest event's month (UTC), days since 1970-01-01. */
  readonly month: number;
}

/** What is known of a partition. */
interface Partition {
  readonly erasureVersion: number;
  /** What its visitors' slots are told by. */
  readonly generation: number;
  /** The stream's sequence that was committed when this was known. */
  through: number;
}

/** A partition as a commit found it. */
export interface PartitionState {
  readonly partition: number;
  readonly erasureVersion: number;
  /** The sequence that was committed before. */
  readonly after: number;
}

/**
 * What is known to stand in the table `visitors`: that a visitor's time is no later than one that was written, and the
 * month no earlier. Times there only become earlier and months later, whoever writes. All is forgotten of a partition
 * after an erasure, and where somebody else has moved its position: the database may have been restored. Retention takes
 * only visitors whose next event has a later month.
 *
 * One slot for each hash: whoever comes last takes it. To know too little costs a look into the table, no more.
 */
export class KnownVisitors {
  readonly #merchants = new Uint32Array(SLOTS);
  readonly #lows = new Uint32Array(SLOTS);
  readonly #highs = new Uint32Array(SLOTS);
  readonly #firstTimes = new Float64Array(SLOTS);
  readonly #months = new Int32Array(SLOTS);
  /** Twice the partition's, and one more for bots. 0: an empty slot. */
  readonly #generations = new Uint32Array(SLOTS);
  readonly #partitions = new Map<number, Partition>();
  #generation = 0;

  /** @returns the generation of what is known of a partition. */
  generationOf({ partition, erasureVersion, after }: PartitionState): number {
    const known = this.#partitions.get(partition);
    if (known?.erasureVersion === erasureVersion && known.through === after) return known.generation;
    const generation = ++this.#generation;
    this.#partitions.set(partition, { erasureVersion, generation, through: after });
    return generation;
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

  /** Notes what is committed, up to a sequence. */
  committed(partition: number, through: number, written: readonly VisitorTimes[]): void {
    const known = this.#partitions.get(partition);
    if (known === undefined) return;
    known.through = through;
    for (const times of written) this.#add(known.generation, times);
  }

  #add(generation: number, written: VisitorTimes): void {
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
  const known = pools.get(pool) ?? new KnownVisitors();
  pools.set(pool, known);
  return known;
}
