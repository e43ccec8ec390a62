import type { Happening } from "./visit.ts";

/** What one merchant's SDK has not sent yet, oldest first; never empty. */
export type Outbox = Happening[];

/**
 * Events on their way out, grouped by merchant as an SDK does: an outbox leaves when it is full, when its
 * oldest event has waited too long, or when all outboxes together hold too much.
 */
export class Outboxes {
  readonly #batch: number;
  readonly #lingerMs: number;
  readonly #limit: number;
  readonly #boxes = new Map<number, Outbox>();
  // A live iterator: it goes on to outboxes that are opened later, in the order of their oldest event. Asking
  // the map for its first key each time would walk over all that were taken out before.
  #oldest = this.#boxes.keys();
  #front: number | undefined;
  #held = 0;

  /**
   * @param batch events of a full outbox.
   * @param lingerMs how long an event waits at most, by the events' own clock.
   * @param limit events in all outboxes.
   */
  constructor(batch: number, lingerMs: number, limit: number) {
    this.#batch = batch;
    this.#lingerMs = lingerMs;
    this.#limit = limit;
  }

  /** Puts an event into its merchant's outbox. @returns that outbox, taken out, when it is full. */
  add(happening: Happening): Outbox | undefined {
    const { merchant } = happening.visit.shop;
    const box = this.#boxes.get(merchant);
    this.#held++;
    if (box === undefined) this.#boxes.set(merchant, [happening]);
    else box.push(happening);
    return (box?.length ?? 1) >= this.#batch ? this.#take(merchant) : undefined;
  }

  /** Takes out the outbox that must leave by `nowMs`, on the events' clock. */
  takeDue(nowMs: number): Outbox | undefined {
    const merchant = this.#frontMerchant();
    if (merchant === undefined) return undefined;
    const due = this.#held > this.#limit || this.#boxes.get(merchant)![0]!.timeMs + this.#lingerMs <= nowMs;
    return due ? this.#take(merchant) : undefined;
  }

  /** Takes out the outbox with the oldest event; undefined when there is none. */
  takeOldest(): Outbox | undefined {
    const merchant = this.#frontMerchant();
    return merchant === undefined ? undefined : this.#take(merchant);
  }

  /** Time of the oldest event that waits, milliseconds on the events' clock; Infinity when none does. */
  get oldestMs(): number {
    const merchant = this.#frontMerchant();
    return merchant === undefined ? Number.POSITIVE_INFINITY : this.#boxes.get(merchant)![0]!.timeMs;
  }

  #frontMerchant(): number | undefined {
    if (this.#front !== undefined) return this.#front;
    let step = this.#oldest.next();
    if (step.done) {
      this.#oldest = this.#boxes.keys();
      step = this.#oldest.next();
    }
    this.#front = step.done ? undefined : step.value;
    return this.#front;
  }

  #take(merchant: number): Outbox {
    const box = this.#boxes.get(merchant)!;
    this.#boxes.delete(merchant);
    this.#held -= box.length;
    if (this.#front === merchant) this.#front = undefined;
    return box;
  }
}
