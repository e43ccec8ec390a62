import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { Failure } from "../failure/failure.ts";
import { toConnectError } from "../rpc/errors.ts";
import { clientGoneKey } from "../rpc/node-adapter.ts";
import { peerKey } from "../rpc/peer.ts";
import { type Authenticate, merchantKey } from "./gate.ts";
import type { GetReportDeps, Merchant } from "./get-report.ts";
import type { QueryMetrics, Rpc } from "./metrics.ts";
import type { Turns } from "./turns.ts";

export interface AnswerDeps extends GetReportDeps {
  /** Throws what the caller is to see when there is no merchant. */
  readonly authenticate: Authenticate;
  readonly turns: Turns;
  /** Deadline of a caller that names none, ms. */
  readonly maxTimeoutMs: number;
  readonly metrics: QueryMetrics;
}

export interface Call {
  readonly rpc: Rpc;
  /** The merchant that is asked for; 0: the key's. */
  readonly asked: number;
  readonly context: HandlerContext;
}

/** How much longer the database may work than the caller waits, ms, should it not hear that it is to stop. */
const BACKSTOP_MS = 1_000;

/**
 * Answers a call when it is its merchant's turn. What is not answered at the caller's deadline, or when the caller is
 * gone, is answered so at once; its statement is cancelled, and its place is free when that has ended.
 *
 * @throws PERMISSION_DENIED for another merchant than the key's, Failure "deadline" and "cancelled", and what `work` throws.
 */
export async function answer<R>(
  deps: AnswerDeps,
  call: Call,
  work: (deps: GetReportDeps, merchant: Merchant) => Promise<R>,
): Promise<R> {
  const { rpc, context } = call;
  const ended = deps.metrics.begin(rpc);
  const ending = endingOf(context, deps.maxTimeoutMs);
  const { signal, timeoutMs } = ending;
  const limits = {
    signal,
    statementTimeoutMs: Math.min(deps.statementTimeoutMs, Math.ceil(timeoutMs) + BACKSTOP_MS),
    onRead: deps.metrics.reads(rpc),
  };
  const answered = async () => {
    const merchant = await merchantOf(deps, call);
    return deps.turns.run(merchant.merchantId, signal, () => work({ ...deps, ...limits }, merchant));
  };
  try {
    const result = await orAborted(signal, answered());
    ended("ok");
    return result;
  } catch (error) {
    ended(toConnectError(error).code);
    throw error;
  } finally {
    ending.clear();
  }
}

/** The key's merchant, before anything else is looked at: a foreign id learns nothing from other errors. */
async function merchantOf({ authenticate }: AnswerDeps, { asked, context }: Call): Promise<Merchant> {
  const { requestHeader, values } = context;
  // A GET has no body, and so passes no gate.
  const merchant = values.get(merchantKey) ?? (await authenticate(requestHeader, values.get(peerKey)));
  if (asked === 0 || asked === merchant.merchantId) return merchant;
  throw new ConnectError(`merchant ${asked} is not the key's`, Code.PermissionDenied);
}

/** Aborted at the deadline and when the caller is gone; not when the service stops: it answers what it has. */
function endingOf(context: HandlerContext, maxTimeoutMs: number) {
  const timeoutMs = Math.max(0, context.timeoutMs() ?? maxTimeoutMs);
  const controller = new AbortController();
  const end = (kind: "deadline" | "cancelled", message: string) =>
    controller.abort(new Failure(kind, message));
  const timer = setTimeout(end, timeoutMs, "deadline", "the deadline passed before the answer was ready");
  const gone = context.values.get(clientGoneKey) ?? context.signal;
  const onGone = () => end("cancelled", "the caller is gone");
  if (gone.aborted) onGone();
  gone.addEventListener("abort", onGone);
  const clear = () => {
    clearTimeout(timer);
    gone.removeEventListener("abort", onGone);
  };
  return { signal: controller.signal, timeoutMs, clear };
}

async function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
