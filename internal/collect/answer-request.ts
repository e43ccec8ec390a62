import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { MAX_TIME_MS, MIN_TIME_MS } from "../event/batch-limits.ts";
import { failpoint } from "../failpoint/failpoint.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import type { RequestMessage } from "../rpc/request-messages.ts";
import { type Answers, answerAll } from "./answers.ts";
import { readJsonBody } from "./json/read-body.ts";
import { counting } from "./limits/gate.ts";
import type { Limits } from "./limits/limits.ts";
import { readFrames } from "./read-frames.ts";
import { refuse } from "./refusal.ts";
import { type CountedRequest, weightOf } from "./request.ts";
import { type SendDeps, type Sender, submit } from "./send.ts";
import type { EventContext } from "./take-event.ts";

export type Defaults = EventContext["defaults"];

/** A request whose events were counted, and what it counts in its merchant's rate. */
export interface WeighedRequest {
  readonly request: CountedRequest;
  readonly weight: number;
}

/**
 * Counts the events of a request. What is none counts in its merchant's rate all the same: reading it was work.
 * @throws Failure invalid when it is no message; OverLimit.
 */
export async function countEvents(
  limits: Limits,
  merchantId: number,
  { bytes, isJson }: RequestMessage,
  isStream = false,
): Promise<WeighedRequest> {
  const weight = weightOf(bytes.length);
  try {
    const request = await (isJson ? readJsonBody : readFrames)(bytes, isStream);
    return { request, weight: Math.max(weight, request.count) };
  } catch (error) {
    await limits.takeEvents(merchantId, weight);
    throw error;
  }
}

/**
 * Takes a request's events, if that is within the limits, and waits for their answers.
 * @param release is called when the request's bytes are not needed any more; perhaps never when it is refused.
 * @throws OverLimit before any event is read.
 */
export async function answerRequest(
  deps: SendDeps & { readonly limits: Limits },
  sender: Sender,
  { request, weight }: WeighedRequest,
  defaults: Defaults,
  release: () => void,
): Promise<Answers> {
  const done = deps.metrics.latency.startTimer();
  const { count, sentTime } = request;
  const sent = sentTime === undefined ? 0 : timestampToMs(sentTime);
  // A sending time that no clock can show tells nothing about the client's clock: as good as absent.
  const plausible = sent >= MIN_TIME_MS && sent <= MAX_TIME_MS ? sent : 0;
  const times = { receivedTime: Date.now(), sentTime: plausible };
  const onTaken = () => {
    request.forget();
    release();
  };
  const take = async () => {
    // Before the events are counted: of a request that finds no room none were sent.
    deps.batcher.checkRoom(sender.merchantId);
    await deps.limits.takeEvents(sender.merchantId, weight);
    const read = (index: number) => request.read(index);
    const answers = await submit(deps, { sender, count, read, onTaken, ...times, defaults });
    failpoint("client-ack.before");
    return answers;
  };
  try {
    return await counting(deps.metrics, take, count);
  } finally {
    done();
  }
}

/** The answer to a stream's request of too many events, or of none: one reason for all of it. */
export function refuseAll(message: string): Answers {
  const refusal = refuse(RejectReason.TOO_MANY_EVENTS, message);
  return { ...answerAll(0, EventStatus.REJECTED), rejections: [{ index: 0, ...refusal }] };
}

/** Whole ms since 1970-01-01 UTC. */
function timestampToMs({ seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}
