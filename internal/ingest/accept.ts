import { create } from "@bufbuild/protobuf";
import { formatId, ID_BYTES } from "../event/event-id.ts";
import { failpoint } from "../failpoint/failpoint.ts";
import { Failure } from "../failure/failure.ts";
import {
  BatchRejectReason,
  BatchStatus,
  type PublishResponse,
  PublishResponseSchema,
} from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { BatchPublisher } from "../stream/publisher.ts";
import type { IngestMetrics } from "./metrics.ts";
import { type Limits, type Validation, validate } from "./validate.ts";

export interface AcceptDeps extends Limits {
  readonly publisher: Pick<BatchPublisher, "publish" | "reject">;
  readonly metrics: IngestMetrics;
}

/**
 * Takes one batch: check, publish (to its partition, or with the reason to the dead-letter stream), answer.
 * The answer is given only when JetStream has acked. Resolves for every batch; unexpected errors reject.
 */
export async function acceptBatch(deps: AcceptDeps, bytes: Uint8Array): Promise<PublishResponse> {
  const started = performance.now();
  const validation = validate(bytes, deps);
  try {
    const response = await publish(deps, validation, bytes);
    deps.metrics.batches.inc({ status: BatchStatus[response.status] });
    deps.metrics.bytes.inc(bytes.length);
    return response;
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== "unavailable") throw error;
    deps.metrics.batches.inc({ status: "UNAVAILABLE" });
    return answer(validation, { status: BatchStatus.UNAVAILABLE, message: error.message });
  } finally {
    deps.metrics.latency.observe((performance.now() - started) / 1_000);
  }
}

async function publish(
  deps: AcceptDeps,
  validation: Validation,
  bytes: Uint8Array,
): Promise<PublishResponse> {
  const { sealed, problem } = validation;
  if (problem === undefined) {
    await deps.publisher.publish(sealed.partition, formatId(sealed.batchId), bytes);
    failpoint("jetstream-ack.after");
    deps.metrics.events.inc(sealed.rows);
    return answer(validation, { status: BatchStatus.STORED });
  }
  const partition = sealed !== undefined && sealed.partition < deps.partitions ? sealed.partition : undefined;
  const reason = BatchRejectReason[problem.reason];
  // Of a batch that is too large only as much is kept as JetStream takes.
  const kept = bytes.subarray(0, deps.maxBatchBytes);
  await deps.publisher.reject(partition, reason, problem.message, kept);
  deps.metrics.deadLetters.inc({ reason });
  return answer(validation, { status: BatchStatus.REJECTED, ...problem });
}

type Answer = Pick<PublishResponse, "status"> & Partial<Pick<PublishResponse, "reason" | "message">>;

function answer({ sealed }: Validation, fields: Answer): PublishResponse {
  const batchId = sealed?.batchId ?? new Uint8Array(ID_BYTES);
  return create(PublishResponseSchema, { batchId, ...fields });
}
