import { eventsOf, members, type State, type Steps, type World, withIngest } from "../state.ts";

/** Collectors: batches are sent and sent again, go to the spool, are given back; a collector dies. */
export const collectorSteps: Steps = (world, state, take) => {
  for (const batch of members(state.memory | state.written | state.spooled))
    sendBatch(world, state, batch, take);
  if (world.spool) spoolSteps(world, state, take);
  if (state.faults === 0) return;
  for (const batch of members(state.memory | state.written)) {
    take(`the collector gives batch ${batch} back`, dropped(state, 1 << batch), true);
  }
  for (let collector = 0; collector < world.collectors; collector++) {
    const here = collector === 0 ? ~state.home : state.home;
    const lost = (state.memory | state.written | state.recent | state.waiting) & here;
    if (lost !== 0) take(`collector ${collector} dies`, dropped(state, lost), true);
  }
};

/** Without what is only in memory; whoever waited for it is told, or sees the connection break. */
function dropped(state: State, batches: number): State {
  return {
    ...state,
    memory: state.memory & ~batches,
    written: state.written & ~batches,
    recent: state.recent & ~batches,
    waiting: state.waiting & ~batches,
    joined: state.joined & ~batches,
  };
}

/** Sends a batch that no ingest has, or, after a time-out, sends it to the other one as well. */
const sendBatch = (world: World, state: State, batch: number, take: Parameters<Steps>[2]): void => {
  const bit = 1 << batch;
  const has = state.ingests.map(({ pending, published }) => ((pending | published) & bit) !== 0);
  const again = has.includes(true);
  if (again && state.faults === 0) return;
  for (const [at, ingest] of state.ingests.entries()) {
    if (has[at]) continue;
    const { state: named, batch: id } = world.rules.batchKeepsId
      ? { state, batch }
      : renamed(world, state, batch);
    const next = withIngest(named, at, { ...ingest, pending: ingest.pending | (1 << id) });
    const label = `the collector sends batch ${id}${again ? " again," : ""} to ingest ${at}`;
    take(label, next, again);
  }
};

/** Where a retry gets a new id: the batch as it is sent. */
function renamed(world: World, state: State, batch: number): { state: State; batch: number } {
  const bit = 1 << batch;
  if ((state.sent & bit) === 0) return { state: { ...state, sent: state.sent | bit }, batch };
  const id = batch + world.requests.length;
  // One new id is enough to show what it does.
  if (batch >= world.requests.length) return { state, batch };
  const move = (mask: number) => (mask & bit ? (mask & ~bit) | (1 << id) : mask);
  const { memory, written, spooled, waiting, joined, home } = state;
  return {
    state: {
      ...state,
      memory: move(memory),
      written: move(written),
      spooled: move(spooled),
      waiting: move(waiting),
      joined: move(joined),
      home: home & bit ? home | (1 << id) : home,
      sent: state.sent | (1 << id),
    },
    batch: id,
  };
}

const spoolSteps: Steps = (world, state, take) => {
  for (const batch of members(state.memory)) {
    const bit = 1 << batch;
    const next = { ...state, memory: state.memory & ~bit, written: state.written | bit };
    take(`the collector writes batch ${batch} to its spool`, next);
  }
  for (const batch of members(state.written)) {
    const bit = 1 << batch;
    const next = { ...state, written: state.written & ~bit, spooled: state.spooled | bit };
    take(`the collector syncs batch ${batch} in its spool`, next);
  }
  const safe = world.rules.syncBeforeSpoolAck ? state.spooled : state.spooled | state.written;
  for (const batch of members(state.waiting & safe)) {
    take(`the collector answers for batch ${batch} from its spool`, answered(world, state, batch));
  }
};

/** The SDK has the answer to a request whose batch is safe. */
export function answered(world: World, state: State, batch: number): State {
  const bit = 1 << batch;
  if ((state.waiting & bit) === 0) return state;
  const events = eventsOf(world, batch) & ((state.joined & bit) === 0 ? -1 : world.keyed);
  return {
    ...state,
    acked: state.acked | events,
    waiting: state.waiting & ~bit,
    joined: state.joined & ~bit,
  };
}
