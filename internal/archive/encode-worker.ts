import { parentPort } from "node:worker_threads";
import { encodeBatches } from "./encode.ts";
import type { EncodeAnswer, EncodeTask } from "./encode-thread.ts";

/** The thread of EncodeThread. Groups are worked on as they come: each gives way to the others between row groups. */
function serve(port: NonNullable<typeof parentPort>): void {
  port.on("message", async ({ id, batches, facts }: EncodeTask) => {
    try {
      const { deadLetters, ...encoded } = await encodeBatches(batches, facts);
      const told = deadLetters.map(({ message, ...why }) => ({ ...why, at: batches.indexOf(message) }));
      const memory = encoded.events === undefined ? [] : [encoded.events.buffer as ArrayBuffer];
      port.postMessage({ id, encoded, deadLetters: told } satisfies EncodeAnswer, memory);
    } catch (error) {
      port.postMessage({ id, error: error as Error } satisfies EncodeAnswer);
    }
  });
}

if (parentPort !== null) serve(parentPort);
