import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import { failpoint } from "../failpoint/failpoint.ts";
import type { PublishResponse } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { toServiceError } from "../rpc/grpc-js.ts";
import { type AcceptDeps, acceptBatch } from "./accept.ts";

export interface PublishOptions extends AcceptDeps {
  /** Most bytes of one stream that may wait for JetStream; a stream at the limit is not read. */
  readonly maxInFlightBytes: number;
  /** When aborted, streams end as soon as the batches that were read are answered. */
  readonly stopping?: AbortSignal;
  readonly report: (error: unknown) => void;
}

/**
 * Serves one Publish stream. Batches are published as they arrive, many at a time; reading stops while too
 * many bytes wait, so that a slow JetStream slows the collector through gRPC's own flow control.
 * When the client half-closes, or the program stops, the open batches are answered before the stream ends.
 */
export function servePublish(
  call: ServerDuplexStream<Buffer, PublishResponse>,
  options: PublishOptions,
): void {
  // At once, so that a collector knows that the stream stands before it has a batch to send.
  call.sendMetadata(new Metadata());
  let inFlight = 0;
  let open = 0;
  let ended = false;
  const finish = () => {
    if (ended && open === 0) call.end();
  };
  const take = async (bytes: Buffer) => {
    open++;
    inFlight += bytes.length;
    options.metrics.inFlight.inc(bytes.length);
    if (inFlight >= options.maxInFlightBytes) call.pause();
    try {
      const answer = await acceptBatch(options, bytes);
      failpoint("batch-ack.before");
      call.write(answer, () => failpoint("batch-ack.after"));
    } finally {
      open--;
      inFlight -= bytes.length;
      options.metrics.inFlight.dec(bytes.length);
      if (inFlight < options.maxInFlightBytes && !ended) call.resume();
    }
    finish();
  };
  call.on("data", (bytes: Buffer) => {
    take(bytes).catch((error: unknown) => {
      options.report(error);
      call.emit("error", toServiceError(error));
    });
  });
  const end = () => {
    ended = true;
    call.pause();
    finish();
  };
  call.on("end", end);
  if (options.stopping?.aborted) end();
  options.stopping?.addEventListener("abort", end);
  call.on("close", () => options.stopping?.removeEventListener("abort", end));
}
