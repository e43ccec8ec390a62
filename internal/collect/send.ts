import type { BatchBuilder } from "../event/batch-builder.ts";
import { ID_BYTES } from "../event/event-id.ts";
import { isTurnOver, nextTurn } from "../lifecycle/turns.ts";
import { Adjustments } from "./adjustments.ts";
import { type Answers, Claims, countAnswers } from "./answers.ts";
import type { Batcher, OpenBatch } from "./batcher.ts";
import { EventFields } from "./event-fields.ts";
import type { CollectMetrics } from "./metrics.ts";
import type { ReadEvent } from "./read-event.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { Refusal } from "./refusal.ts";
import { type EventContext, takeEvent } from "./take-event.ts";

/** The merchant whose write key came with a request. */
export interface Sender {
  readonly merchantId: number;
  readonly retentionDays: number;
  readonly partitions: number;
  /** Whether its visitors' addresses are truncated. */
  readonly truncateIp: boolean;
  /** What hashes its visitors' ids that could be guessed: a secret. */
  readonly visitorKey: Uint8Array;
}

export interface Submission
  extends Omit<EventContext, "retentionDays" | "truncateIp" | "visitorKey" | "adjustments"> {
  readonly sender: Sender;
  /** Number of its events. */
  readonly count: number;
  readonly read: (index: number) => ReadEvent;
  /** The events are in their batches: their bytes are not needed any more. */
  readonly onTaken?: () => void;
}

export interface SendDeps {
  readonly batcher: Batcher;
  readonly recent: RecentEvents;
  readonly metrics: CollectMetrics;
}

/**
 * Takes the events of one request: each is read, checked, looked up in the recent window and put into a
 * batch; the answers come when all their batches are settled.
 * @throws OverLimit when the collector, or the merchant, has too much on its way already; nothing was taken then.
 */
export async function submit(deps: SendDeps, submission: Submission): Promise<Answers> {
  deps.batcher.checkRoom(submission.sender.merchantId);
  const claims = await claim(deps, submission);
  submission.onTaken?.();
  const answers = await claims.settled();
  countAnswers(deps.metrics, answers);
  return answers;
}

/** A large request's events are not taken in one turn of the event loop: others have theirs between two of them. */
async function claim(deps: SendDeps, { sender, count, read, ...rest }: Submission): Promise<Claims> {
  const { merchantId, retentionDays, partitions, truncateIp, visitorKey } = sender;
  const openBatch = deps.batcher.openBatch(merchantId, partitions);
  const context = { ...rest, retentionDays, truncateIp, visitorKey, adjustments };
  const claims = new Claims(count);
  for (let index = 0; index < count; index++) {
    if (isTurnOver()) await nextTurn();
    const event = read(index);
    if (isTurnOver()) await nextTurn();
    const refusal = write(event, openBatch, context);
    const adjusted = adjustments.take();
    if (refusal !== undefined) {
      claims.refuse(index, refusal);
      continue;
    }
    commit(deps, openBatch, merchantId, claims, index);
    if (adjusted.length > 0) claims.adjust(index, adjusted);
  }
  return claims;
}

/** One event is read at a time. */
const fields = new EventFields();
const adjustments = new Adjustments();

/** Writes an event to the open row of the batch. @returns why it is refused; nothing of it is left then. */
function write(event: ReadEvent, { builder }: OpenBatch, context: EventContext): Refusal | undefined {
  if (event instanceof Uint8Array) return writeBytes(event, builder, context);
  if ("reason" in event) return event;
  for (const { kind, field, message } of event.adjustments) context.adjustments.add(kind, field, message);
  return writeBytes(event.bytes, builder, context);
}

function writeBytes(bytes: Uint8Array, builder: BatchBuilder, context: EventContext): Refusal | undefined {
  const unreadable = fields.read(bytes);
  if (unreadable !== undefined) return unreadable;
  const refusal = takeEvent(fields, builder, context);
  if (refusal !== undefined) builder.discard();
  return refusal;
}

/** Makes the open row one of its batch, unless the event is there already. */
function commit(
  deps: SendDeps,
  openBatch: OpenBatch,
  merchantId: number,
  claims: Claims,
  index: number,
): void {
  const { builder, receipt } = openBatch;
  if (builder.hasEventId) {
    const before = deps.recent.claim(merchantId, builder.eventIds, receipt, builder.rows * ID_BYTES);
    if (before !== undefined) {
      builder.discard();
      claims.repeat(index, before);
      return;
    }
  }
  deps.batcher.commit(openBatch, merchantId);
  claims.accept(index, receipt);
}
