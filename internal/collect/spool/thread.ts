import { Worker } from "node:worker_threads";
import { Failure } from "../../failure/failure.ts";
import type { StoreOptions } from "./store.ts";
import type { Answer, Ask } from "./worker.ts";

type Done = Extract<Answer, { totals: unknown }>;

/** The thread that the store runs in. Asks are answered in order. */
export class SpoolThread {
  readonly #worker: Worker;
  readonly #asked: PromiseWithResolvers<Done>[] = [];
  readonly #exited: Promise<void>;
  #closing = false;
  #dead: Error | undefined;

  /** @param onDeath told when the thread ends without having been told to. */
  constructor(options: StoreOptions, onDeath: (error: Error) => void) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: options });
    this.#worker.on("message", (answer: Answer) => this.#answered(answer));
    let cause: unknown;
    this.#worker.on("error", (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        const dead = new Failure("unavailable", "spool: its thread has ended", { cause });
        this.#dead = dead;
        for (const { reject } of this.#asked.splice(0)) reject(dead);
        if (!this.#closing) onDeath(dead);
        resolve();
      });
    });
  }

  /** Resolves when the file is open. @throws Failure why it cannot be. */
  opened(): Promise<Done> {
    return this.#wait();
  }

  /** @throws Failure exhausted when the disk is full, unavailable for any other error. */
  ask(ask: Exclude<Ask, { op: "close" }>): Promise<Done> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    this.#worker.postMessage(ask);
    return this.#wait();
  }

  /** Closes the file after all that was asked before. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#worker.postMessage({ op: "close" } satisfies Ask);
    await this.#exited;
  }

  #wait(): Promise<Done> {
    const waiting = Promise.withResolvers<Done>();
    this.#asked.push(waiting);
    return waiting.promise;
  }

  #answered(answer: Answer): void {
    const { resolve, reject } = this.#asked.shift()!;
    if ("error" in answer) reject(new Failure(answer.error.kind, answer.error.message));
    else resolve(answer);
  }
}
