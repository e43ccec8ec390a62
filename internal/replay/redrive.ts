import { Failure } from "../failure/failure.ts";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { DeadLetterStream } from "../stream/dead-letter-stream.ts";
import type { BatchPublisher } from "../stream/publisher.ts";
import type { DeadLetterBatch } from "./dead-letter-batch.ts";
import type { Count } from "./list.ts";

export interface RedriveDeps {
  readonly publisher: Pick<BatchPublisher, "publish">;
  readonly stream: Pick<DeadLetterStream, "remove">;
}

/** A batch that was left where it is. */
export interface NotRedriven {
  readonly seq: number;
  readonly batchId: string | undefined;
  /** What the check says now. */
  readonly reason: string;
  readonly message: string;
}

export interface RedriveResult {
  readonly dryRun: boolean;
  /** What went to the partitions' streams, or would go. */
  readonly redriven: Count;
  readonly notRedriven: readonly NotRedriven[];
  /** Why it ended before all were done; what was not done may be done again. */
  readonly stopped: string | undefined;
}

/**
 * Sends refused batches to their partitions' streams again: published under their own batch id, and taken out of
 * the refused ones after JetStream's ack. Ended at any point, it can be done again: a batch that is sent twice is
 * counted once by the ledger. A batch that does not pass the check now stays.
 */
export async function redrive(
  batches: AsyncIterable<DeadLetterBatch>,
  { publisher, stream }: RedriveDeps,
  dryRun: boolean,
): Promise<RedriveResult> {
  const redriven = { batches: 0, events: 0 };
  const notRedriven: NotRedriven[] = [];
  let stopped: string | undefined;
  for await (const batch of batches) {
    const { message, sealed, batchId, problem } = batch;
    if (problem !== undefined) {
      const reason = BatchRejectReason[problem.reason];
      notRedriven.push({ seq: message.seq, batchId, reason, message: problem.message });
      continue;
    }
    try {
      if (!dryRun) {
        await publisher.publish(sealed!.partition, messageId(batch), message.bytes);
        await stream.remove(message.seq);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      stopped = `seq ${message.seq}: ${error.message}`;
      break;
    }
    redriven.batches++;
    redriven.events += batch.events;
  }
  return { dryRun, redriven, notRedriven, stopped };
}

/**
 * Not the batch's own id: within the duplicate window JetStream would take the redrive for the first copy and
 * drop it. The sequence makes a batch that was refused again another message.
 */
function messageId({ batchId, message }: DeadLetterBatch): string {
  return `redrive:${batchId}:${message.seq}`;
}
