import { members, type State, type Steps } from "../state.ts";

/** The operator: mends the processing and redrives what was dead-lettered. */
export const operatorSteps: Steps = (world, state, take) => {
  if (state.deadLettered === 0) return;
  if (!state.mended) {
    take("the operator mends the processing", { ...state, mended: 1 });
    return;
  }
  // The tool waits for JetStream's ack, and so begins when all before is on the disk.
  if (state.synced < state.stream.length) return;
  for (const batch of members(state.deadLettered & ~state.redriven)) {
    const isDropped = !world.rules.redrivePastWindow && (state.window >> batch) & 1;
    const redriven = { ...state, redriven: state.redriven | (1 << batch) };
    take(`the operator redrives batch ${batch}`, isDropped ? redriven : appended(redriven, batch));
  }
};

function appended(state: State, batch: number): State {
  return { ...state, stream: [...state.stream, batch], synced: state.synced + 1 };
}
