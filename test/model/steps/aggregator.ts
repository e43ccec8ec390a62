import {
  type Aggregator,
  AWAY,
  away,
  batchesIn,
  COMMITTED,
  eventsOf,
  IN_TRANSACTION,
  members,
  READING,
  rowsOf,
  type State,
  type Steps,
  UNWRITTEN,
  type World,
  withAggregator,
} from "../state.ts";

/** Aggregators: each takes the partition up, reads, commits and acks, at its own pace; one dies. */
export const aggregatorSteps: Steps = (world, state, take) => {
  for (const [at, aggregator] of state.aggregators.entries()) {
    const name = `aggregator ${at}`;
    const { phase, after, through } = aggregator;
    if (phase === AWAY) take(`${name} takes the partition up`, takeUp(world, state, at));
    if (phase === READING) readingSteps(world, state, at, take);
    if (phase === READING && through > after) {
      const begun = begin(world, state, at);
      if (begun === "fenced") take(`${name} is fenced`, away(state, at));
      else if (begun !== "waits") take(`${name} begins a transaction`, begun);
    }
    if (phase === IN_TRANSACTION) {
      take(`${name} commits sequences ${after + 1} to ${through}`, commit(world, state, at));
    }
    if (phase === UNWRITTEN) take(`${name} writes the ledger`, writeLedger(world, state, at));
    if (phase === COMMITTED) committedSteps(world, state, at, take);
    if (phase !== AWAY && state.faults > 0) take(`${name} dies`, die(state, at), true);
  }
};

/** Makes the consumer anew behind the position, which ends the feed of a former owner. */
export function takeUp(world: World, state: State, at: number): State {
  const after = world.rules.positionFromDatabase ? state.position : state.floor;
  const reading: Aggregator = { phase: READING, after, through: after, known: 0 };
  return { ...withAggregator(state, at, reading), owner: at, next: after + 1, floor: after };
}

const readingSteps = (world: World, state: State, at: number, take: Parameters<Steps>[2]): void => {
  const aggregator = state.aggregators[at]!;
  const name = `aggregator ${at}`;
  if (state.owner !== at) {
    take(`${name} sees that its feed ended`, away(state, at));
  } else if (state.next <= (world.rules.syncBeforeDelivery ? state.synced : state.stream.length)) {
    take(`${name} reads sequence ${state.next}`, read(state, at));
  }
  const { after, through } = aggregator;
  if (world.rules.deadLetterBeforeCommit) {
    for (const batch of members(unprocessable(world, state, after, through) & ~state.deadLettered)) {
      take(`${name} dead-letters batch ${batch}`, {
        ...state,
        deadLettered: state.deadLettered | (1 << batch),
      });
    }
  }
  if (!world.rules.commitBeforeStreamAck && state.owner === at && through > state.floor) {
    take(`${name} acks sequence ${through} before it commits`, { ...state, floor: through });
  }
};

/** The next batch is in hand. */
export function read(state: State, at: number): State {
  const moved = withAggregator(state, at, { ...state.aggregators[at]!, through: state.next });
  return { ...moved, next: state.next + 1 };
}

function unprocessable(world: World, state: State, after: number, through: number): number {
  return state.mended ? 0 : batchesIn(state, after + 1, through) & world.poison;
}

/** Moves the position under its row lock and looks into the ledger. */
export function begin(world: World, state: State, at: number): State | "fenced" | "waits" {
  const { fencing, deadLetterBeforeCommit, deadLetteredLineIsOpen } = world.rules;
  const aggregator = state.aggregators[at]!;
  const { after, through } = aggregator;
  const deadLettersDue = unprocessable(world, state, after, through) & ~state.deadLettered;
  if (deadLetterBeforeCommit && deadLettersDue !== 0) return "waits";
  if (fencing && state.lock !== -1) return "waits";
  if (fencing && state.position !== after) return "fenced";
  const known = deadLetteredLineIsOpen ? state.ledger : state.ledger | state.ledgerDeadLettered;
  const begun = withAggregator(state, at, { ...aggregator, phase: IN_TRANSACTION, known });
  return fencing ? { ...begun, lock: at } : begun;
}

/** Rows, event keys, ledger lines and position, all at once. */
export function commit(world: World, state: State, at: number): State {
  const aggregator = state.aggregators[at]!;
  const { after, through, known } = aggregator;
  const { ledgerInTransaction, eventKeys } = world.rules;
  const fresh = batchesIn(state, after + 1, through) & ~known;
  const bad = unprocessable(world, state, after, through) & fresh;
  let rows = state.rows;
  for (const batch of members(fresh & ~bad)) {
    for (const event of members(eventsOf(world, batch))) {
      const copies = (rows >> (2 * event)) & 3;
      const isClaimed = eventKeys && (world.keyed >> event) & 1 && copies > 0;
      if (!isClaimed && copies < 3) rows += 1 << (2 * event);
    }
  }
  const phase = ledgerInTransaction ? COMMITTED : UNWRITTEN;
  const next: State = {
    ...withAggregator(state, at, { ...aggregator, phase }),
    rows,
    position: through,
    lock: -1,
    staleCommit: state.position === after ? state.staleCommit : 1,
  };
  return ledgerInTransaction ? withLines(next, fresh & ~bad, bad) : next;
}

function withLines(state: State, stored: number, deadLettered: number): State {
  const ledger = state.ledger | stored;
  return { ...state, ledger, ledgerDeadLettered: (state.ledgerDeadLettered | deadLettered) & ~ledger };
}

function writeLedger(world: World, state: State, at: number): State {
  const aggregator = state.aggregators[at]!;
  const { after, through, known } = aggregator;
  const fresh = batchesIn(state, after + 1, through) & ~known;
  const stored = members(fresh).filter((batch) =>
    members(eventsOf(world, batch)).every((event) => rowsOf(state, event) > 0),
  );
  const mask = stored.reduce((sum, batch) => sum | (1 << batch), 0);
  return withAggregator(withLines(state, mask, fresh & ~mask), at, { ...aggregator, phase: COMMITTED });
}

const committedSteps = (world: World, state: State, at: number, take: Parameters<Steps>[2]): void => {
  const name = `aggregator ${at}`;
  const late = state.ledgerDeadLettered & ~state.deadLettered;
  if (!world.rules.deadLetterBeforeCommit && late !== 0) {
    take(`${name} dead-letters what it has committed`, { ...state, deadLettered: state.deadLettered | late });
  } else {
    const acked = `${name} acks sequence ${state.aggregators[at]!.through}`;
    take(acked, ack(state, at, true));
    if (state.owner !== at) take(`${acked}, to nobody`, ack(state, at, false));
  }
};

/**
 * Tells JetStream and goes on. @param counts whether the consumer takes the ack: one that another owner has made
 * anew has the same name, and may take it or not.
 */
export function ack(state: State, at: number, counts: boolean): State {
  const { through } = state.aggregators[at]!;
  const next = withAggregator(state, at, { phase: READING, after: through, through, known: 0 });
  return counts ? { ...next, floor: Math.max(state.floor, through) } : next;
}

/** Its connection to the database breaks, and its transaction is rolled back. */
export function die(state: State, at: number): State {
  const gone = away(state, at);
  const unlocked = state.lock === at ? { ...gone, lock: -1 } : gone;
  return state.owner === at ? { ...unlocked, owner: -1, next: 0 } : unlocked;
}
