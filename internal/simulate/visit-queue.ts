import type { Visit } from "./visit.ts";

/** Visits in progress by the time of their next event: a binary heap, earliest first. */
export class VisitQueue {
  #times = new Float64Array(1_024);
  readonly #visits: Visit[] = [];

  get size(): number {
    return this.#visits.length;
  }

  /** Time of the earliest next event, milliseconds; Infinity when no visit is in progress. */
  get firstMs(): number {
    return this.#visits.length === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** The visit that is next. The queue must not be empty. */
  get first(): Visit {
    return this.#visits[0]!;
  }

  add(timeMs: number, visit: Visit): void {
    const place = this.#visits.length;
    if (place === this.#times.length) this.#grow();
    this.#visits.push(visit);
    this.#rise(place, timeMs, visit);
  }

  /** Moves the first visit to a later time. */
  postponeFirst(timeMs: number): void {
    this.#sink(timeMs, this.first);
  }

  /** Takes out the first visit. */
  removeFirst(): void {
    const lastTime = this.#times[this.#visits.length - 1]!;
    const last = this.#visits.pop()!;
    if (this.#visits.length > 0) this.#sink(lastTime, last);
  }

  #rise(from: number, timeMs: number, visit: Visit): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#times[parent]! <= timeMs) break;
      this.#put(place, this.#times[parent]!, this.#visits[parent]!);
      place = parent;
    }
    this.#put(place, timeMs, visit);
  }

  #sink(timeMs: number, visit: Visit): void {
    const size = this.#visits.length;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#times[child + 1]! < this.#times[child]!) child++;
      if (this.#times[child]! >= timeMs) break;
      this.#put(place, this.#times[child]!, this.#visits[child]!);
      place = child;
    }
    this.#put(place, timeMs, visit);
  }

  #put(place: number, timeMs: number, visit: Visit): void {
    this.#times[place] = timeMs;
    this.#visits[place] = visit;
  }

  #grow(): void {
    const larger = new Float64Array(this.#times.length * 2);
    larger.set(this.#times);
    this.#times = larger;
  }
}
