import { setTimeout as sleep } from "node:timers/promises";
import { Code, type ConnectError } from "@connectrpc/connect";

/** First wait, and longest wait, between two tries; milliseconds. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/** Answers that another try would only repeat. All other errors may come from a lost connection. */
const FINAL: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.Unauthenticated,
  Code.PermissionDenied,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
  Code.DataLoss,
]);

/**
 * Whether sending the same request again may help. RESOURCE_EXHAUSTED without a time to wait is a request that
 * is too large, and stays so.
 */
export function mayRetry(error: ConnectError): boolean {
  if (error.code === Code.ResourceExhausted) return error.metadata.has("retry-after-ms");
  return !FINAL.has(error.code);
}

/** How long the server asked to wait, milliseconds; 0 when it did not. */
export function askedWaitMs(error: ConnectError): number {
  const asked = Number(error.metadata.get("retry-after-ms") ?? 0);
  return Number.isFinite(asked) && asked > 0 ? asked : 0;
}

/**
 * Waits before try number `tries` + 1: exponential, with half of it left to chance, so that clients that
 * failed together do not come back together; and no less than the server asked for.
 */
export async function backOff(tries: number, askedMs: number, deadlineMs: number): Promise<void> {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 20), LONGEST_WAIT_MS);
  const jittered = wait / 2 + (wait / 2) * Math.random();
  await sleep(Math.min(Math.max(jittered, askedMs), Math.max(0, deadlineMs - performance.now())));
}
