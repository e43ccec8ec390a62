import { batchesIn, type Steps } from "../state.ts";

/** JetStream, one replica: batches reach the disk, the duplicate window ends; the broker loses its power. */
export const brokerSteps: Steps = (_world, state, take) => {
  const { stream, synced } = state;
  if (synced < stream.length)
    take(`JetStream syncs sequence ${synced + 1}`, { ...state, synced: synced + 1 });
  if (state.window !== 0) take("JetStream's duplicate window ends", { ...state, window: 0 });
  if (state.faults === 0) return;
  const kept = batchesIn(state, 1, synced);
  const next = {
    ...state,
    stream: stream.slice(0, synced),
    window: state.window & kept,
    // Whoever waited for an ack sees the connection break, and answers UNAVAILABLE.
    ingests: state.ingests.map(({ pending, published }) => ({ pending, published: published & kept })),
    owner: -1,
    next: 0,
  };
  take("the broker dies", next, true);
};
