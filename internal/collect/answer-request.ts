import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { MAX_TIME_MS, MIN_TIME_MS } from "../event/batch-limits.ts";
import { failpoint } from "../failpoint/failpoint.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Answers, answerAll } from "./answers.ts";
import { counting } from "./limits/gate.ts";
import type { Limits } from "./limits/limits.ts";
import { MAX_EVENTS } from "./max-events.ts";
import type { ReadEvent } from "./read-event.ts";
import { refuse } from "./refusal.ts";
import { type SendDeps, type Sender, submit } from "./send.ts";
import type { EventContext } from "./take-event.ts";

export type Defaults = EventContext["defaults"];

/** A request of either form. */
export interface Request {
  readonly sentTime?: Pick<Timestamp, "seconds" | "nanos"> | undefined;
  /** Number of events: counted before they are read, since a request may hold millions of empty ones. */
  readonly count: number;
  readonly read: () => readonly ReadEvent[] | Promise<readonly ReadEvent[]>;
}

/**
 * Takes a request's events, if that is within the limits, and waits for their answers.
 * @throws OverLimit before any event is read.
 */
export async function answerRequest(
  deps: SendDeps & { readonly limits: Limits },
  sender: Sender,
  { count, sentTime, read }: Request,
  defaults: Defaults,
): Promise<Answers> {
  const done = deps.metrics.latency.startTimer();
  const sent = sentTime === undefined ? 0 : timestampToMs(sentTime);
  // A sending time that no clock can show tells nothing about the client's clock: as good as absent.
  const plausible = sent >= MIN_TIME_MS && sent <= MAX_TIME_MS ? sent : 0;
  const times = { receivedTime: Date.now(), sentTime: plausible };
  const take = async () => {
    // Before the events are counted: of a request that finds no room none were sent.
    deps.batcher.checkRoom(sender.merchantId);
    await deps.limits.takeEvents(sender.merchantId, count);
    const answers = await submit(deps, { sender, events: await read(), ...times, defaults });
    failpoint("client-ack.before");
    return answers;
  };
  try {
    return await counting(deps.metrics, take, count);
  } finally {
    done();
  }
}

export function countProblem(count: number): string | undefined {
  return count >= 1 && count <= MAX_EVENTS ? undefined : `events: ${count}, must be 1 to ${MAX_EVENTS}`;
}

/** The answer to a stream's request of too many events, or of none. */
export function refuseAll(count: number, message: string): Answers {
  const refusal = refuse(RejectReason.TOO_MANY_EVENTS, message);
  const answers = answerAll(count, EventStatus.REJECTED, refusal);
  // Without an event there is none to hang the reason on: it stands alone.
  return count === 0 ? { ...answers, rejections: [{ index: 0, ...refusal }] } : answers;
}

/** Whole ms since 1970-01-01 UTC. */
function timestampToMs({ seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}
