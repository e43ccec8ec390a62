import { BatchView } from "../event/batch-view.ts";
import { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { DeadLetterBatch } from "./dead-letter-batch.ts";
import { decodeEvents, type PlainEvent } from "./decode-events.ts";

/** All that can be told of one refused batch. Times are ISO 8601. */
export interface DeadLetterDetails {
  readonly seq: number;
  readonly time: string;
  readonly partition: number | undefined;
  readonly reason: string;
  readonly message: string;
  /** Lines of the stack. */
  readonly stack: readonly string[] | undefined;
  readonly origin: { readonly stream: string; readonly sequence: number } | undefined;
  readonly bytes: number;
  /** What the check says now. */
  readonly check: { readonly ok: boolean; readonly reason?: string; readonly message?: string };
  readonly envelope: Envelope | undefined;
  /** The first ones, as many as were asked for; undefined when the payload cannot be opened. */
  readonly events: readonly PlainEvent[] | undefined;
}

interface Envelope {
  readonly batchId: string | undefined;
  readonly collectorId: string;
  readonly partition: number;
  readonly rows: number;
  readonly codec: string;
  readonly closedTime: string | undefined;
}

/** @param limit most events that are decoded. */
export function showDeadLetter(letter: DeadLetterBatch, limit: number): DeadLetterDetails {
  const { message, problem, batch, sealed } = letter;
  const { seq, time, partition, reason, stack, origin, bytes } = message;
  return {
    seq,
    time: new Date(time).toISOString(),
    partition,
    reason,
    message: message.message,
    stack: stack?.split(" | "),
    origin,
    bytes: bytes.length,
    check:
      problem === undefined
        ? { ok: true }
        : { ok: false, reason: BatchRejectReason[problem.reason], message: problem.message },
    envelope: envelopeOf(letter),
    events: batch && decodeEvents(() => new BatchView(sealed!.batchId, batch), limit),
  };
}

function envelopeOf({ sealed, batchId }: DeadLetterBatch): Envelope | undefined {
  if (sealed === undefined) return undefined;
  const { collectorId, partition, rows, codec, closedTimeMs } = sealed;
  const closed = new Date(Number(closedTimeMs));
  return {
    batchId,
    collectorId,
    partition,
    rows,
    codec: Codec[codec] ?? String(codec),
    closedTime: Number.isNaN(closed.getTime()) ? undefined : closed.toISOString(),
  };
}
