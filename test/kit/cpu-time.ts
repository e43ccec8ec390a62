/** The least processor time of five runs, ms: what a machine that others use as well does not change. */
export function leastCpuMs(run: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage();
    run();
    return process.cpuUsage(before).user / 1_000;
  });
  return Math.min(...times);
}
