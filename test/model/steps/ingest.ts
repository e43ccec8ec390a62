import { batchesIn, members, type State, type Steps, type World, withIngest } from "../state.ts";
import { answered } from "./collector.ts";

/** Ingests: each publishes what came and answers when JetStream has acked; one dies. */
export const ingestSteps: Steps = (world, state, take) => {
  const acked = world.rules.syncBeforePublishAck ? state.synced : state.stream.length;
  const inStream = batchesIn(state, 1, acked);
  for (const [at, ingest] of state.ingests.entries()) {
    const { pending, published } = ingest;
    for (const batch of members(pending)) {
      const gone = { pending: pending & ~(1 << batch), published: published | (1 << batch) };
      take(`ingest ${at} publishes batch ${batch}`, publish(withIngest(state, at, gone), batch));
      if (world.rules.answerAfterPublishAck) continue;
      take(`ingest ${at} answers for batch ${batch}`, settled(world, state, batch));
    }
    for (const batch of members(published & inStream)) {
      const told = withIngest(state, at, { pending, published: published & ~(1 << batch) });
      take(`ingest ${at} gets the ack of batch ${batch} and answers`, settled(world, told, batch));
    }
    if (state.faults > 0 && (pending | published) !== 0) {
      take(`ingest ${at} dies`, withIngest(state, at, { pending: 0, published: 0 }), true);
    }
  }
};

/** JetStream appends a batch, unless it is in the duplicate window. */
export function publish(state: State, batch: number): State {
  if ((state.window >> batch) & 1) return state;
  return { ...state, stream: [...state.stream, batch], window: state.window | (1 << batch) };
}

/** The collector hears that a batch is stored: it forgets it and answers. */
function settled(world: World, state: State, batch: number): State {
  const bit = 1 << batch;
  if (((state.memory | state.written | state.spooled) & bit) === 0) return state;
  return {
    ...answered(world, state, batch),
    memory: state.memory & ~bit,
    written: state.written & ~bit,
    spooled: state.spooled & ~bit,
    recent: state.recent | bit,
  };
}
