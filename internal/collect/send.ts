import { eventIdBytes } from "../event/event-id.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import type { Event } from "../gen/footfall/event/v1/event_pb.js";
import type { Batcher } from "./batcher.ts";
import { checkEvent, timestampToMs } from "./check-event.ts";
import type { CollectMetrics } from "./metrics.ts";
import { RecentEvents } from "./recent-events.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Ticket } from "./ticket.ts";

/** Most events of one request. */
export const MAX_EVENTS = 1_000;

/** The merchant whose key came with a request. */
export interface Sender {
  readonly merchantId: number;
  readonly retentionDays: number;
  readonly partitions: number;
}

/** One event as it was read from a request: itself, or why it could not be read. */
export type ReadEvent = { readonly event: Event } | { readonly refusal: Refusal };

export interface Submission {
  readonly sender: Sender;
  readonly events: readonly ReadEvent[];
  /** Ms since 1970-01-01 UTC. */
  readonly receivedTime: number;
  /** By the client's clock; 0 when the request did not tell. Ms since 1970-01-01 UTC. */
  readonly sentTime: number;
}

/** The answer to one event. */
export interface Answer {
  readonly status: EventStatus;
  readonly refusal?: Refusal;
}

export interface SendDeps {
  readonly batcher: Batcher;
  readonly recent: RecentEvents;
  readonly metrics: CollectMetrics;
}

/** An event on its way: its claim on a batch, and whether it was sent before. */
interface Claim {
  readonly ticket: Ticket;
  readonly repeated: boolean;
}

/**
 * Takes the events of one request: each is read, checked, looked up in the recent window and put into a
 * batch; the answers come when all their batches are settled.
 * @throws Failure exhausted when the collector holds too much already; nothing was taken then.
 */
export async function submit(deps: SendDeps, submission: Submission): Promise<Answer[]> {
  deps.batcher.checkRoom();
  const claims = submission.events.map((read) =>
    "refusal" in read ? read.refusal : take(deps, submission, read.event),
  );
  const answers: Answer[] = [];
  for (const claim of claims) answers.push("ticket" in claim ? await settled(claim) : rejected(claim));
  for (const { status, refusal } of answers) {
    deps.metrics.events.inc({ status: EventStatus[status] });
    if (refusal !== undefined) deps.metrics.rejected.inc({ reason: RejectReason[refusal.reason] });
  }
  return answers;
}

function take(deps: SendDeps, { sender, receivedTime, sentTime }: Submission, event: Event): Claim | Refusal {
  const eventId = event.eventId === "" ? undefined : eventIdBytes(event.eventId);
  const { merchantId, retentionDays, partitions } = sender;
  const refusal = checkEvent(event, { receivedTime, retentionDays, eventId });
  if (refusal !== undefined) return refusal;
  const key = eventId === undefined ? undefined : RecentEvents.key(merchantId, eventId);
  const before = key === undefined ? undefined : deps.recent.find(key);
  if (before !== undefined) return { ticket: before, repeated: true };
  const clientTime = event.clientTime === undefined ? receivedTime : timestampToMs(event.clientTime);
  const ticket = deps.batcher.add(
    { merchantId, event, eventId, receivedTime, clientTime, sentTime },
    partitions,
  );
  if (key !== undefined) deps.recent.remember(key, ticket);
  return { ticket, repeated: false };
}

function rejected(refusal: Refusal): Answer {
  return { status: EventStatus.REJECTED, refusal };
}

async function settled({ ticket, repeated }: Claim): Promise<Answer> {
  const outcome = ticket.outcome ?? (await ticket.settled);
  if (outcome.stored) return { status: repeated ? EventStatus.DUPLICATE : EventStatus.ACCEPTED };
  if (outcome.retry) return { status: EventStatus.UNAVAILABLE };
  return rejected(refuse(RejectReason.MALFORMED, `the event's batch was refused: ${outcome.message}`));
}
