import type { Rules } from "./rules.ts";

/** The size of the explored installation. Sets of events and of batches are bit masks throughout. */
export interface World {
  readonly rules: Rules;
  /**
   * The events of each request that the SDK may make; a request is a batch of its own. The first is made once,
   * the others hold events with ids that are sent again.
   */
  readonly requests: readonly number[];
  /** Events that come with an id, and are sent until they are acked. The others are sent once. */
  readonly keyed: number;
  /** Batches that cannot be processed until the operator has mended the processing. */
  readonly poison: number;
  readonly collectors: 1 | 2;
  readonly ingests: 1 | 2;
  readonly aggregators: 1 | 2;
  /** Whether collectors have a spool. */
  readonly spool: boolean;
  /** Most crashes, broken connections and time-outs together. */
  readonly faults: number;
}

export interface Ingest {
  /** Batches that have come and are not published yet. */
  readonly pending: number;
  /** Batches that were published and whose ack has not come yet. */
  readonly published: number;
}

export const AWAY = 0;
/** It has a feed, and maybe batches in hand. */
export const READING = 1;
export const IN_TRANSACTION = 2;
/** Committed, and JetStream not told yet. */
export const COMMITTED = 3;
/** Only where the ledger is written outside the transaction: committed, and no ledger line yet. */
export const UNWRITTEN = 4;

export interface Aggregator {
  readonly phase: number;
  /** The position that it knows. */
  readonly after: number;
  /** The last sequence in hand. */
  readonly through: number;
  /** What the ledger held as its transaction looked. */
  readonly known: number;
}

/** Everything, at one moment. Each process may be delayed for any time: being paused needs no state of its own. */
export interface State {
  readonly faults: number;
  /** Events whose answer the SDK has. */
  readonly acked: number;
  /** Requests that were made. */
  readonly made: number;
  /** Requests that the SDK waits for. */
  readonly waiting: number;
  /** Of these: a retry that met its events in a batch on its way; the answer counts for events with ids only. */
  readonly joined: number;
  /** The collector of each request, one bit each. */
  readonly home: number;
  /** Batches in a collector's memory, written to its spool, and synced there. */
  readonly memory: number;
  readonly written: number;
  readonly spooled: number;
  /** Batches that the collector remembers to be stored. */
  readonly recent: number;
  /** Batches that were sent to ingest before; kept only where a retry gets a new id. */
  readonly sent: number;
  readonly ingests: readonly Ingest[];
  /** The batches of the partition's stream by sequence, from 1 on; the first `synced` are on the disk. */
  readonly stream: readonly number[];
  readonly synced: number;
  /** Batches in JetStream's duplicate window. */
  readonly window: number;
  /** Batches in the dead-letter stream, those of them that were redriven, and whether the processing is mended. */
  readonly deadLettered: number;
  readonly redriven: number;
  readonly mended: number;
  /** Whose feed the consumer serves, -1 for nobody's; its next sequence; the last that was acked. */
  readonly owner: number;
  readonly next: number;
  readonly floor: number;
  readonly aggregators: readonly Aggregator[];
  /** The database: position, ledger lines of stored and of dead-lettered batches, rows of each event, row lock. */
  readonly position: number;
  readonly ledger: number;
  readonly ledgerDeadLettered: number;
  /** Two bits an event. */
  readonly rows: number;
  /** The aggregator whose transaction holds the partition's row, -1 for none. */
  readonly lock: number;
  /** 1 when an aggregator committed from a position that was not the database's any more. */
  readonly staleCommit: number;
}

const IDLE: Aggregator = { phase: AWAY, after: 0, through: 0, known: 0 };

export function initialState(world: World): State {
  return {
    faults: world.faults,
    acked: 0,
    made: 0,
    waiting: 0,
    joined: 0,
    home: 0,
    memory: 0,
    written: 0,
    spooled: 0,
    recent: 0,
    sent: 0,
    ingests: Array.from({ length: world.ingests }, () => ({ pending: 0, published: 0 })),
    stream: [],
    synced: 0,
    window: 0,
    deadLettered: 0,
    redriven: 0,
    mended: 0,
    owner: -1,
    next: 0,
    floor: 0,
    aggregators: Array.from({ length: world.aggregators }, () => IDLE),
    position: 0,
    ledger: 0,
    ledgerDeadLettered: 0,
    rows: 0,
    lock: -1,
    staleCommit: 0,
  };
}

/** Takes one step: what it is called, the state behind it, and whether it is a fault. */
export type Take = (label: string, next: State, fault?: boolean) => void;

/** The ways in which a part of the installation can move a state on. */
export type Steps = (world: World, state: State, take: Take) => void;

/** Rows that an event has. */
export const rowsOf = (state: State, event: number): number => (state.rows >> (2 * event)) & 3;

/** The events of a batch. A batch that was given a new id has those of the request it came from. */
export const eventsOf = (world: World, batch: number): number =>
  world.requests[batch % world.requests.length]!;

/** The members of a mask. */
export function members(mask: number): number[] {
  const bits: number[] = [];
  for (let bit = 0; mask >> bit !== 0; bit++) if ((mask >> bit) & 1) bits.push(bit);
  return bits;
}

/** The batches of a stretch of the stream. */
export function batchesIn(state: State, from: number, to: number): number {
  let mask = 0;
  for (let seq = from; seq <= to; seq++) mask |= 1 << state.stream[seq - 1]!;
  return mask;
}

export function withAggregator(state: State, at: number, aggregator: Aggregator): State {
  return { ...state, aggregators: state.aggregators.map((other, i) => (i === at ? aggregator : other)) };
}

export function withIngest(state: State, at: number, ingest: Ingest): State {
  return { ...state, ingests: state.ingests.map((other, i) => (i === at ? ingest : other)) };
}

/** An aggregator that has nothing in hand. */
export const away = (state: State, at: number): State => withAggregator(state, at, IDLE);
