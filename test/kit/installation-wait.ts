import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;

/**
 * Asks again and again until the answer is neither undefined nor false, and returns it. An attempt that throws
 * counts as "not yet": parts may be away for a while.
 * @param what is waited for, for the error.
 * @throws after `timeoutMs`, with the last attempt's error as its cause.
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause });
    await sleep(POLL_MS);
  }
}
