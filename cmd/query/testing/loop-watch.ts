/**
 * How long work holds the event loop, as processor time of this thread: on a machine that is busy the clock, and so
 * monitorEventLoopDelay, tells of other processes too.
 */
export class LoopWatch {
  #timer: NodeJS.Timeout | undefined;
  #last = 0;
  #longestMs = 0;

  begin(): void {
    this.#longestMs = 0;
    this.#last = threadMs();
    this.#timer = setInterval(() => this.#look(), 1);
  }

  /** @returns the longest time since begin() that was worked without a look at the timers, ms, within 1 ms or 2. */
  end(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#longestMs;
  }

  #look(): void {
    const now = threadMs();
    this.#longestMs = Math.max(this.#longestMs, now - this.#last);
    this.#last = now;
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
