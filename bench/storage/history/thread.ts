import { parentPort, workerData } from "node:worker_threads";
import { type Group, historyGroups } from "./group.ts";

/** The thread that history is generated in: each message asks for the next group. */
const next = historyGroups(workerData);

parentPort!.on("message", () => {
  const group = next();
  parentPort!.postMessage(group, buffersOf(group));
});

/** The memory of all columns, to be handed over in place of copied: each column has its own. */
function buffersOf({ batches }: Group): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const collect = (value: unknown) => {
    if (value instanceof Uint8Array) {
      // Absent columns share one.
      if (value.length > 0) buffers.add(value.buffer as ArrayBuffer);
    } else if (typeof value === "object" && value !== null) Object.values(value).forEach(collect);
  };
  collect(batches);
  return [...buffers];
}
