import type { Aggregator, State, World } from "./state.ts";

/**
 * A state as a short text, the same for states that differ only in what two processes of a kind are called, and
 * in traces that nothing looks at any more: a tenth of the states is left.
 */
export function keyOf(state: State): string {
  const [first, second] = state.aggregators.map(packed) as [number, number?];
  const swapped = second !== undefined && rank(state, 1, second) > rank(state, 0, first);
  const who = (at: number) => (at === -1 ? 0 : swapped ? 2 - at : at + 1);
  const ingests = state.ingests.map(({ pending, published }) => pending | (published << 8));
  if (ingests.length === 2 && ingests[1]! > ingests[0]!) ingests.reverse();
  // Three bits for each number of a batch or sequence: more would make two states look like one.
  if (state.stream.length > 7) throw new Error("the stream is longer than the key has room for");
  let stream = 1;
  for (const batch of state.stream) stream = stream * 8 + batch;
  return String.fromCharCode(
    state.faults |
      (state.mended << 4) |
      ((state.owner === -1 ? 0 : who(state.owner)) << 5) |
      (who(state.lock) << 7),
    state.acked | (state.made << 8),
    state.waiting | (state.joined << 8),
    state.home | (state.memory << 8),
    state.written | (state.spooled << 8),
    state.recent | (state.sent << 8),
    ingests[0]!,
    ingests[1] ?? 0,
    stream & 0x7fff,
    stream >> 15,
    state.window | (state.synced << 8) | (state.staleCommit << 12),
    state.deadLettered | (state.redriven << 8),
    state.next | (state.floor << 4) | (state.position << 8),
    swapped ? second! : first,
    swapped ? first : (second ?? 0),
    state.ledger | (state.ledgerDeadLettered << 8),
    state.rows,
  );
}

function packed({ phase, after, through, known }: Aggregator): number {
  return phase | (after << 3) | (through << 6) | (known << 9);
}

/** Orders two aggregators by all that tells them apart. */
const rank = (state: State, at: number, value: number): number =>
  value * 4 + (state.owner === at ? 2 : 0) + (state.lock === at ? 1 : 0);

/** The state without what can make no difference any more. */
export function normalized(world: World, state: State): State {
  const here = state.memory | state.written | state.spooled | state.waiting | state.recent;
  const recent = (world.keyed & ~state.acked) === 0 ? 0 : state.recent;
  let elsewhere = state.ledger | state.ledgerDeadLettered | state.deadLettered | state.window | state.sent;
  for (const { pending, published } of state.ingests) elsewhere |= pending | published;
  for (const batch of state.stream) elsewhere |= 1 << batch;
  // A request of which nothing is left anywhere may be made again, apart from the first.
  const made = state.made & (here | elsewhere | 1);
  const home = state.home & here;
  if (made === state.made && home === state.home && recent === state.recent) return state;
  return { ...state, made, home, recent };
}
