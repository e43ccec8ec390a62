import { Worker } from "node:worker_threads";

const PERIOD_MS = 1_000;

/** Milliseconds that the process gets to close the database by itself after its parent is gone. */
const GRACE_MS = 10_000;

/** Runs in a thread of its own: a query blocks the main thread, for ever if the WASM has gone wild. */
const WATCH = `
  const { parent, periodMs, graceMs } = require("node:worker_threads").workerData;
  setInterval(() => {
    if (process.ppid === parent) return;
    setTimeout(() => process.kill(process.pid, "SIGKILL"), graceMs);
  }, periodMs);
`;

/** Kills this process some time after its parent died, even while a query keeps it busy. */
export function watchParent(): void {
  const workerData = { parent: process.ppid, periodMs: PERIOD_MS, graceMs: GRACE_MS };
  new Worker(WATCH, { eval: true, workerData }).unref();
}
