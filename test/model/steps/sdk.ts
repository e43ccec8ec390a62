import { eventsOf, members, type State, type Steps, type World } from "../state.ts";

/** The SDK: sends, gives up waiting, and sends events with ids again until they are acked. */
export const sdkSteps: Steps = (world, state, take) => {
  if ((state.made & 1) === 0) {
    take("SDK sends request 0 to collector 0", send(state, 0, 0));
    return;
  }
  for (const request of members(state.waiting)) {
    if (state.faults > 0) {
      const next = {
        ...state,
        waiting: state.waiting & ~(1 << request),
        joined: state.joined & ~(1 << request),
      };
      take(`SDK stops waiting for request ${request}`, next, true);
    }
  }
  // A retry waits for the answer to the request before.
  if (state.waiting !== 0 || (world.keyed & ~state.acked) === 0) return;
  for (let collector = 0; collector < world.collectors; collector++) {
    retry(world, state, collector, (label, next) =>
      take(`SDK retries at collector ${collector}: ${label}`, next),
    );
  }
};

function send(state: State, request: number, collector: number): State {
  const bit = 1 << request;
  return {
    ...state,
    made: state.made | bit,
    waiting: state.waiting | bit,
    home: collector === 0 ? state.home & ~bit : state.home | bit,
    memory: state.memory | bit,
  };
}

function retry(
  world: World,
  state: State,
  collector: number,
  take: (label: string, next: State) => void,
): void {
  const here = collector === 0 ? ~state.home : state.home;
  const wanted = world.keyed & ~state.acked;
  const holding = (batches: number) =>
    members(batches & here).find((batch) => (eventsOf(world, batch) & wanted) !== 0);
  const remembered = holding(state.recent);
  if (remembered !== undefined) {
    const acked = state.acked | (eventsOf(world, remembered) & world.keyed);
    take(`it remembers batch ${remembered}`, { ...state, acked });
    return;
  }
  const onItsWay = holding(state.memory | state.written | state.spooled);
  if (onItsWay !== undefined) {
    const bit = 1 << onItsWay;
    take(`batch ${onItsWay} is on its way`, {
      ...state,
      waiting: state.waiting | bit,
      joined: state.joined | bit,
    });
    return;
  }
  const request = world.requests.findIndex(
    (events, at) => at > 0 && ((state.made >> at) & 1) === 0 && (events & wanted) !== 0,
  );
  if (request > 0) take(`request ${request}`, send(state, request, collector));
}
