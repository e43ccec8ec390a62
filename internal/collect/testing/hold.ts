import { setImmediate } from "node:timers/promises";

/** What some work took of its process. */
export interface Taken {
  /** Longest that the event loop was held up by work, ms of this thread's CPU time: what else runs on the machine does not count. */
  readonly holdMs: number;
  /** CPU time of this thread, ms. */
  readonly cpuMs: number;
  /** Most memory of the JavaScript heap and buffers above what was used before, bytes. */
  readonly peakBytes: number;
}

/** Looks at the turns of the event loop until it is told to stop. */
export function watchLoop(): () => Promise<Taken> {
  globalThis.gc?.();
  const before = used();
  let isWatching = true;
  let holdMs = 0;
  let peak = before;
  const watching = (async () => {
    const start = cpuMs();
    let last = start;
    for (let turn = 0; isWatching; turn++) {
      await setImmediate();
      const now = cpuMs();
      holdMs = Math.max(holdMs, now - last);
      if (now - last > 1 || turn % 64 === 0) peak = Math.max(peak, used());
      last = cpuMs();
    }
    return { holdMs, cpuMs: cpuMs() - start, peakBytes: peak - before };
  })();
  return () => {
    isWatching = false;
    return watching;
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
