import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { EventStatus, type SendRequest, type SendResponse } from "../gen/footfall/collect/v1/collect_pb.js";
import type { Event } from "../gen/footfall/event/v1/event_pb.js";
import { withRetry } from "../lifecycle/retry.ts";
import type { Connection } from "./connection.ts";
import { askedWaitMs, mayRetry } from "./retry.ts";
import type { RequestRecord, Tally } from "./tally.ts";
import type { TrafficRequest } from "./traffic.ts";

export interface Limits {
  /** How long one try may take, milliseconds. */
  readonly tryMs: number;
  /** How long after its first try a request is given up, milliseconds. */
  readonly giveUpMs: number;
}

/** Spread by chance, so that clients that failed together do not come back together. */
const AGAIN = { firstMs: 25, longestMs: 5_000 };

/**
 * Sends one request until each of its events is answered, or until it is given up; counts every event exactly
 * once. An event is sent again as it is, with the same id. Never throws.
 */
export async function deliver(
  connection: Connection,
  writeKey: string,
  request: TrafficRequest,
  tally: Tally,
  limits: Limits,
): Promise<RequestRecord> {
  const sentMs = Date.now();
  const start = performance.now();
  const deadline = start + limits.giveUpMs;
  let outcome: Outcome = { left: request.events, final: false, waitMs: 0 };
  let tries = 0;
  tally.sent += request.events.length;
  const sendLeft = async (tried: number) => {
    tries = tried;
    if (tries > 1) tally.retries++;
    // Whole: a fraction makes a grpc-timeout header that servers refuse.
    const timeoutMs = Math.max(1, Math.ceil(Math.min(limits.tryMs, deadline - performance.now())));
    outcome = await attempt(connection, writeKey, outcome.left, timeoutMs, tally);
    if (outcome.left.length > 0) throw new Error("not all events are settled");
  };
  await withRetry(sendLeft, {
    ...AGAIN,
    withinMs: limits.giveUpMs,
    isRetryable: () => !outcome.final && performance.now() + outcome.waitMs < deadline,
    askedMs: () => outcome.waitMs,
  }).catch(() => {});
  const unanswered = outcome.left.length;
  tally.unanswered += unanswered;
  if (unanswered === 0) tally.answered(performance.now() - start);
  const { merchant, events } = request;
  return { merchant, events: events.length, unanswered, sentMs, ackedMs: Date.now(), tries };
}

interface Outcome {
  readonly left: Event[];
  readonly final: boolean;
  /** How long the server asked to wait, milliseconds. */
  readonly waitMs: number;
}

async function attempt(
  connection: Connection,
  writeKey: string,
  events: Event[],
  timeoutMs: number,
  tally: Tally,
): Promise<Outcome> {
  const { client } = connection;
  const sentTime = timestampFromMs(Date.now());
  try {
    const headers = { authorization: `Bearer ${writeKey}` };
    const message: SendRequest = { $typeName: "footfall.collect.v1.SendRequest", events, sentTime };
    const response = await client.send(message, { headers, timeoutMs });
    const waitMs = response.retryAfter === undefined ? 0 : durationMs(response.retryAfter);
    return { left: unsettled(events, response, tally), final: false, waitMs };
  } catch (error) {
    const failure = ConnectError.from(error);
    tally.problem(failure.message);
    if (failure.code === Code.DeadlineExceeded) connection.replace(client);
    return { left: events, final: !mayRetry(failure), waitMs: askedWaitMs(failure) };
  }
}

/** Counts what is settled. @returns the events that are not: UNAVAILABLE, or without a status. */
function unsettled(events: Event[], response: SendResponse, tally: Tally): Event[] {
  const left = events.filter((_, index) => {
    switch (response.statuses[index]) {
      case EventStatus.ACCEPTED:
        tally.accepted++;
        return false;
      case EventStatus.DUPLICATE:
        tally.duplicates++;
        return false;
      case EventStatus.REJECTED:
        tally.rejected++;
        return false;
      default:
        return true;
    }
  });
  for (const { reason, message } of response.rejections) tally.problem(`rejected (${reason}): ${message}`);
  if (left.length > 0) tally.problem("events answered EVENT_STATUS_UNAVAILABLE");
  return left;
}
