/** Something that was acquired and must be given back. */
export interface Closer {
  readonly name: string;
  close(): Promise<void> | void;
}

/** What went wrong while closing: one line for each closer that failed or did not finish in time. */
export class CloseError extends Error {
  override readonly name = "CloseError";
}

/**
 * Closers in the order in which resources were acquired. They run once, last-in-first-out, under one
 * deadline; a closer that fails does not keep the others from running.
 */
export class Closers {
  readonly #stack: Closer[] = [];

  add(name: string, close: Closer["close"]): void {
    this.#stack.push({ name, close });
  }

  /**
   * @param deadlineMs for all closers together.
   * @throws CloseError when one failed or the deadline passed.
   */
  async closeAll(deadlineMs: number): Promise<void> {
    const end = Date.now() + deadlineMs;
    const problems: string[] = [];
    for (let closer = this.#stack.pop(); closer !== undefined; closer = this.#stack.pop()) {
      try {
        await withDeadline(Promise.resolve(closer.close()), end - Date.now());
      } catch (error) {
        problems.push(`${closer.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (problems.length > 0) throw new CloseError(problems.join("\n"));
  }
}

async function withDeadline(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("did not close before the deadline")), Math.max(0, ms));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
