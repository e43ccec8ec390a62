import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { EventStatus, type SendRequest, type SendResponse } from "../gen/footfall/collect/v1/collect_pb.js";
import type { Event } from "../gen/footfall/event/v1/event_pb.js";
import type { Connection } from "./connection.ts";
import { askedWaitMs, backOff, mayRetry } from "./retry.ts";
import type { RequestRecord, Tally } from "./tally.ts";
import type { TrafficRequest } from "./traffic.ts";

export interface Limits {
  /** How long one try may take, milliseconds. */
  readonly tryMs: number;
  /** How long after its first try a request is given up, milliseconds. */
  readonly giveUpMs: number;
}

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
  let left = request.events;
  let tries = 0;
  tally.sent += left.length;
  while (left.length > 0) {
    tries++;
    if (tries > 1) tally.retries++;
    // Whole: a fraction makes a grpc-timeout header that servers refuse.
    const timeoutMs = Math.max(1, Math.ceil(Math.min(limits.tryMs, deadline - performance.now())));
    const outcome = await attempt(connection, writeKey, left, timeoutMs, tally);
    left = outcome.left;
    if (left.length === 0 || outcome.final || performance.now() + outcome.waitMs >= deadline) break;
    await backOff(tries, outcome.waitMs, deadline);
  }
  tally.unanswered += left.length;
  if (left.length === 0) tally.answered(performance.now() - start);
  const { merchant, events } = request;
  return { merchant, events: events.length, unanswered: left.length, sentMs, ackedMs: Date.now(), tries };
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
