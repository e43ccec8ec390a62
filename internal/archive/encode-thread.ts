import { Worker } from "node:worker_threads";
import type { ObjectFacts } from "../lake/object-writer.ts";
import type { StreamBatch } from "../stream/partition-feed.ts";
import type { DeadLetter, Encoded } from "./encode.ts";

/** What the thread is asked: to encode a group's batches. */
export interface EncodeTask {
  readonly id: number;
  readonly batches: readonly StreamBatch[];
  readonly facts: ObjectFacts;
}

/** The thread's answer. Batches that are dead-lettered are told by their place in the group. */
export type EncodeAnswer = { readonly id: number } & (
  | { readonly encoded: Omit<Encoded, "deadLetters">; readonly deadLetters: readonly DeadLetterAt[] }
  | { readonly error: Error }
);

export interface DeadLetterAt extends Omit<DeadLetter, "message"> {
  readonly at: number;
}

interface Waiting extends PromiseWithResolvers<Encoded> {
  readonly batches: readonly StreamBatch[];
}

/**
 * Encodes groups in a thread of its own: a large object takes a second or more, which would hold up health probes,
 * acks and lease renewals. A thread that ends (out of memory, say) fails the groups it had; the next one gets another.
 */
export class EncodeThread {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  /** As encodeBatches. The batches' bytes are copied. */
  encode(batches: readonly StreamBatch[], facts: ObjectFacts): Promise<Encoded> {
    const id = this.#asked++;
    const waiting: Waiting = { ...Promise.withResolvers<Encoded>(), batches };
    this.#waiting.set(id, waiting);
    // Compact copies: a message's bytes may lie in the middle of much larger memory.
    const copies = batches.map((batch) => ({ ...batch, bytes: new Uint8Array(batch.bytes) }));
    const memory = copies.map(({ bytes }) => bytes.buffer);
    this.#worker ??= this.#start();
    this.#worker.postMessage({ id, batches: copies, facts } satisfies EncodeTask, memory);
    return waiting.promise;
  }

  /** Ends the thread; groups that it has fail. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./encode-worker.ts", import.meta.url));
    worker.on("message", (answer: EncodeAnswer) => this.#answered(answer));
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.once("exit", () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values())
        reject(new Error("archive: the encoding thread has ended", { cause }));
      this.#waiting.clear();
    });
    return worker;
  }

  #answered(answer: EncodeAnswer): void {
    const { resolve, reject, batches } = this.#waiting.get(answer.id)!;
    this.#waiting.delete(answer.id);
    if ("error" in answer) reject(answer.error);
    else {
      const deadLetters = answer.deadLetters.map(({ at, ...why }) => ({ ...why, message: batches[at]! }));
      resolve({ ...answer.encoded, deadLetters });
    }
  }
}
