import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Group, HistoryOptions } from "./group.ts";

/** Groups that are made ahead: while one is written the next ones are at hand. */
const AHEAD = 2;

/** Simulated history, generated in a thread of its own. */
export async function* history(options: HistoryOptions): AsyncGenerator<Group> {
  const worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData: options });
  const groups: Group[] = [];
  let error: unknown;
  worker.on("message", (group: Group) => void groups.push(group));
  // While nobody waits, too.
  worker.on("error", (thrown) => {
    error = thrown;
  });
  try {
    for (let ahead = 0; ahead < AHEAD; ahead++) worker.postMessage("next");
    for (;;) {
      while (groups.length === 0) {
        if (error !== undefined) throw error;
        await once(worker, "message");
      }
      const group = groups.shift()!;
      if (group.events === 0) return;
      worker.postMessage("next");
      yield group;
    }
  } finally {
    await worker.terminate();
  }
}
