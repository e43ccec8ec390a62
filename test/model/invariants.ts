import {
  batchesIn,
  COMMITTED,
  eventsOf,
  IN_TRANSACTION,
  members,
  rowsOf,
  type State,
  type World,
} from "./state.ts";

/** What is wrong with a state, whatever may come; undefined when nothing is. */
export function problemOf(world: World, state: State): string | undefined {
  for (let event = 0; event < eventCount(world); event++) {
    if (rowsOf(state, event) > 1) return `event ${event} is stored twice`;
    if ((state.acked >> event) & 1 && !isSafe(world, state, event))
      return `event ${event} was acked and is lost`;
  }
  if (state.staleCommit) return "an aggregator committed from a position that others had moved";
  if (state.floor > state.position) return "JetStream was told of more than is committed";
  return passedOver(world, state);
}

/** Whether an event is stored or somewhere from where it still comes, with no help of its SDK. */
function isSafe(world: World, state: State, event: number): boolean {
  if (rowsOf(state, event) > 0) return true;
  const coming = batchesIn(state, state.position + 1, state.synced);
  const kept = coming | state.spooled | (state.deadLettered & ~state.redriven);
  return members(kept).some((batch) => (eventsOf(world, batch) >> event) & 1);
}

/** The position stands behind a batch that is neither stored nor dead-lettered. */
function passedOver(world: World, state: State): string | undefined {
  for (const [at, batch] of state.stream.slice(0, state.position).entries()) {
    if ((state.ledgerDeadLettered >> batch) & 1) continue;
    if (members(eventsOf(world, batch)).every((event) => rowsOf(state, event) > 0)) continue;
    return `the position has passed sequence ${at + 1}, which is not committed`;
  }
  return undefined;
}

/** Everything is at rest: all events with ids are acked, and each acked event is stored exactly once. */
export function isAtRest(world: World, state: State): boolean {
  if ((world.keyed & ~state.acked) !== 0 || state.waiting !== 0) return false;
  if ((state.memory | state.written | state.spooled) !== 0) return false;
  if (state.ingests.some(({ pending, published }) => (pending | published) !== 0)) return false;
  if (state.position !== state.stream.length || state.synced !== state.stream.length) return false;
  if ((state.deadLettered & ~state.redriven) !== 0) return false;
  if (state.aggregators.some(({ phase }) => phase === IN_TRANSACTION || phase === COMMITTED)) return false;
  return members(state.acked).every((event) => rowsOf(state, event) === 1);
}

export function eventCount(world: World): number {
  return members(world.requests.reduce((all, events) => all | events, 0)).length;
}
