import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../../internal/embedded/child.ts";

export interface PartOptions {
  readonly name: string;
  /** Starts the process, on the same ports and files each time; resolves when it is ready. */
  readonly launch: () => Promise<Child>;
  /** Whether the running process does its work; may reject instead of saying no. */
  readonly isHealthy: () => Promise<boolean>;
  /** Told when the process ends though nobody here has ended it. */
  readonly onDeath: (name: string, exitCode: number | null) => void;
}

/** Pause between two looks at a part that is not well, ms. */
const POLL_MS = 100;

/** A process that can be killed, stopped and started again. */
export class Part {
  readonly name: string;
  readonly #options: PartOptions;
  #child: Child | undefined;
  #starting: Promise<void> | undefined;
  #closed = false;

  constructor(options: PartOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Starts the process unless it runs. @throws when it does not become ready, or close() came first. */
  async start(): Promise<void> {
    if (this.#closed) throw new Error(`${this.name} is closed`);
    if (this.#child !== undefined) return;
    this.#starting ??= this.#launch().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  /** Process id; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Sends a signal to the process, if it runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child !== undefined) process.kill(this.#child.pid, signal);
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#forget();
    if (child === undefined) return;
    process.kill(child.pid, "SIGKILL");
    await child.exited;
  }

  /** SIGTERM, and SIGKILL when that does not help, then a new start. @throws as start does. */
  async restart(): Promise<void> {
    await this.#forget()?.stop();
    await this.start();
  }

  /** Ends the process for good, at once. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting?.catch(() => {});
    await this.kill();
  }

  /**
   * Waits until the process runs and works, starting it as often as needed.
   * @returns why not, when it does not within `timeoutMs`.
   */
  async recover(timeoutMs: number): Promise<string | undefined> {
    const deadline = performance.now() + timeoutMs;
    this.signal("SIGCONT");
    let problem = "is not healthy";
    while (!this.#closed && performance.now() < deadline) {
      try {
        await this.start();
        if (await this.#options.isHealthy()) return undefined;
      } catch (error) {
        // What it needs may still be on its way back, too.
        problem = (error as Error).message;
      }
      await sleep(POLL_MS);
    }
    return `${this.name} did not recover: ${problem}`;
  }

  async #launch(): Promise<void> {
    const child = await this.#options.launch();
    this.#child = child;
    void child.exited.then((exitCode) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#options.onDeath(this.name, exitCode);
    });
  }

  #forget(): Child | undefined {
    const child = this.#child;
    this.#child = undefined;
    return child;
  }
}
