/** Work that one or more callers wait for. */
interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  callers: number;
}

/** What came of it, and whether this caller was the one who began it. */
export interface Landed<T> {
  readonly value: T;
  readonly isFirst: boolean;
}

/**
 * Does the same work once for all who ask for it while it is under way. Each waits no longer than its own signal says; the
 * work is aborted when the last of them is gone, and who asks then begins anew.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /**
   * @param signal the caller's. @param work gets a signal of its own.
   * @throws the signal's reason, and what the work throws.
   */
  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<Landed<T>> {
    signal.throwIfAborted();
    const under = this.#flights.get(key);
    const flight = under ?? this.#begin(key, work);
    flight.callers++;
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const onAbort = () => {
      this.#leave(key, flight, signal.reason);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return { value: await Promise.race([gone, flight.result]), isFirst: under === undefined };
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const result = work(controller.signal).finally(() => this.#forget(key, flight));
    // Whoever waits hears of it; when all are gone, nobody does.
    result.catch(() => {});
    const flight: Flight<T> = { result, controller, callers: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  #leave(key: string, flight: Flight<T>, reason: unknown): void {
    flight.callers--;
    if (flight.callers > 0) return;
    this.#forget(key, flight);
    flight.controller.abort(reason);
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
