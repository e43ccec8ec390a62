/**
 * Who owns the database. PGlite has one session, so a connection holds the gate from the first message of a
 * sequence until ReadyForQuery says that no transaction is open. Waiters get it in the order they asked.
 */
export class Gate {
  #owner: object | null = null;
  readonly #waiting: { who: object; enter: () => void }[] = [];

  get free(): boolean {
    return this.#owner === null;
  }

  holds(who: object): boolean {
    return this.#owner === who;
  }

  /** Resolves when `who` owns the database; at once if it does already. */
  async acquire(who: object): Promise<void> {
    if (this.#owner === who) return;
    if (this.#owner === null) {
      this.#owner = who;
      return;
    }
    await new Promise<void>((enter) => this.#waiting.push({ who, enter }));
  }

  /** Hands over to the next waiter. Throws if `who` is not the owner: two sessions would have been mixed. */
  release(who: object): void {
    if (this.#owner !== who) throw new Error("the database was released by a connection that did not own it");
    const next = this.#waiting.shift();
    this.#owner = next?.who ?? null;
    // Not at once: between two owners the event loop must get to sockets, timers and signals.
    if (next) setImmediate(next.enter);
  }
}
