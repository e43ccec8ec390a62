import { Failure } from "../../failure/failure.ts";
import { Quota } from "../../rpc/quota.ts";

export interface TurnsOptions {
  /** How many may work at a time. */
  readonly slots: number;
  /** How many may wait for it, of all merchants together. */
  readonly waiting: number;
}

/** What a refused request is told to wait, ms: about what a heavy report takes. */
const RETRY_AFTER_MS = 1_000;

/** What a merchant comes to while it is alone, of the slots and of those to wait in. */
const SHARE = 0.5;

interface Waiter {
  readonly start: () => void;
}

/**
 * Whose work may begin. A merchant may hold as many slots as are free: alone it comes to half of them, and one is always
 * left for a merchant that has none (as with the room of collectors, docs/overload.md). Who waits is let in merchant by
 * merchant in turn, however many requests each has waiting. The slots to wait in are shared out by the same rule.
 */
export class Turns {
  readonly #slots: Quota;
  readonly #queue: Quota;
  /** In the order in which merchants have their next turn; none is empty. */
  readonly #waiting = new Map<number, Set<Waiter>>();

  constructor({ slots, waiting }: TurnsOptions) {
    this.#slots = new Quota(slots, SHARE);
    this.#queue = new Quota(waiting, SHARE);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.used;
  }

  /** How many work. */
  get working(): number {
    return this.#slots.used;
  }

  /**
   * Works when it is the merchant's turn; the place is free again when the work has ended.
   *
   * @param signal ends the wait, with its reason.
   * @throws Failure "exhausted" when too many of the merchant wait already.
   */
  async run<T>(merchantId: number, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#enter(merchantId, signal);
    try {
      return await work();
    } finally {
      this.#leave(merchantId);
    }
  }

  #enter(merchantId: number, signal: AbortSignal | undefined): Promise<void> | undefined {
    signal?.throwIfAborted();
    if (!this.#waiting.has(merchantId) && this.#mayWork(merchantId)) {
      this.#slots.take(merchantId, 1);
      return;
    }
    const waiters = this.#waiting.get(merchantId) ?? new Set<Waiter>();
    if (this.#queue.refusal(merchantId) !== undefined) {
      const message = `merchant ${merchantId}: ${waiters.size} requests wait already`;
      throw new Failure("exhausted", message, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#waiting.set(merchantId, waiters);
    return this.#wait(merchantId, waiters, signal);
  }

  #wait(merchantId: number, waiters: Set<Waiter>, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        signal?.removeEventListener("abort", onAbort);
        waiters.delete(waiter);
        this.#queue.give(merchantId, 1);
        if (waiters.size === 0) this.#waiting.delete(merchantId);
      };
      const onAbort = () => {
        stop();
        reject(signal!.reason);
      };
      const start = () => {
        stop();
        resolve();
      };
      const waiter = { start };
      waiters.add(waiter);
      this.#queue.take(merchantId, 1);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #leave(merchantId: number): void {
    this.#slots.give(merchantId, 1);
    this.#letIn();
  }

  /** Lets in who may work now: the merchant whose turn it is, then the next, each of them behind all others then. */
  #letIn(): void {
    for (const [merchantId, waiters] of this.#waiting) {
      const refusal = this.#slots.refusal(merchantId);
      if (refusal === "all") return;
      if (refusal === "merchant") continue;
      this.#waiting.delete(merchantId);
      this.#slots.take(merchantId, 1);
      const [first] = waiters;
      // Set again behind all others while it has more: this loop then comes to it again.
      if (waiters.size > 1) this.#waiting.set(merchantId, waiters);
      first!.start();
    }
  }

  #mayWork(merchantId: number): boolean {
    return this.#slots.refusal(merchantId) === undefined;
  }
}
