/** Lets so many work at one time; others wait, the first first, and beyond so many of them are refused. */
export class Turns {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #working = 0;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Waits for a turn. @returns how to end it, once. @throws Error when too many wait already. */
  async take(): Promise<() => void> {
    if (this.#working < this.#most) {
      this.#working += 1;
    } else {
      if (this.#waiting.length >= this.#mostWaiting) throw new Error(`${this.#mostWaiting} wait already`);
      // Whoever ends hands the place on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return () => this.#end();
  }

  #end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#working -= 1;
    else next();
  }
}
