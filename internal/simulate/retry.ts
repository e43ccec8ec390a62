import { Code, type ConnectError } from "@connectrpc/connect";

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
