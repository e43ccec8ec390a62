import type { HandlerContext } from "@connectrpc/connect";
import { Failure } from "../../failure/failure.ts";
import { toConnectError } from "../../rpc/errors.ts";
import { clientGoneKey } from "../../rpc/node-adapter.ts";
import { peerKey } from "../../rpc/peer.ts";
import type { RetryLimits } from "../run/read-with-retry.ts";
import type { Turns } from "../run/turns.ts";
import { type Authenticate, type KeyMerchant, keyKindOf, merchantKey } from "./gate.ts";
import type { QueryMetrics, Rpc } from "./metrics.ts";

export interface AnswerDeps extends RetryLimits {
  /** Throws what the caller is to see when there is no merchant. */
  readonly authenticate: Authenticate;
  readonly turns: Turns;
  /** Deadline of a caller that names none, ms. */
  readonly maxTimeoutMs: number;
  readonly metrics: QueryMetrics;
}

export interface Call {
  readonly rpc: Rpc;
  readonly context: HandlerContext;
}

/** How much longer the database may work than the caller waits, ms, should it not hear that it is to stop. */
const BACKSTOP_MS = 1_000;

export interface CallLimits extends RetryLimits {
  /** Aborted at the caller's deadline, and when it is gone. */
  readonly signal: AbortSignal;
}

/** What a call is answered with. @param limits of this call. @param merchant the API key's. */
export type Work<R> = (limits: CallLimits, merchant: KeyMerchant) => Promise<R>;

/** As answerCall, when it is the merchant's turn: the place is free again when the work has ended. */
export function answer<R>(deps: AnswerDeps, call: Call, work: Work<R>): Promise<R> {
  return answerCall(deps, call, (limits, merchant) =>
    deps.turns.run(merchant.merchantId, limits.signal, () => work(limits, merchant)),
  );
}

/**
 * Answers a call. What is not answered at the caller's deadline, or when the caller is gone, is answered so at once, and
 * its statement is cancelled.
 *
 * @throws Failure "deadline" and "cancelled", and what `work` throws.
 */
export async function answerCall<R>(deps: AnswerDeps, { rpc, context }: Call, work: Work<R>): Promise<R> {
  const ended = deps.metrics.begin(rpc);
  const ending = endingOf(context, deps.maxTimeoutMs);
  const { signal, timeoutMs } = ending;
  const limits = {
    signal,
    statementTimeoutMs: Math.min(deps.statementTimeoutMs, Math.ceil(timeoutMs) + BACKSTOP_MS),
    beginTimeoutMs: deps.beginTimeoutMs,
    databaseWaitMs: deps.databaseWaitMs ?? 0,
    sampleFromEvents: deps.sampleFromEvents,
    onRead: deps.metrics.reads(rpc),
  };
  const answered = async () => {
    // A GET has no body, and so passes no gate.
    const merchant =
      context.values.get(merchantKey) ??
      (await deps.authenticate(
        context.requestHeader,
        context.values.get(peerKey),
        keyKindOf(context.method),
      ));
    return work(limits, merchant);
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

/**
 * Refuses another merchant's id, before anything else is looked at: it learns nothing from other errors.
 * @param asked the merchant that is asked for; 0: the API key's.
 * @throws Failure "denied".
 */
export function checkMerchant(
  asked: number,
  { merchantId }: Pick<KeyMerchant, "merchantId">,
  field = "scope.merchant_id",
): void {
  if (asked === 0 || asked === merchantId) return;
  throw new Failure("denied", `merchant ${asked} is not the API key's`, { field, value: asked });
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
