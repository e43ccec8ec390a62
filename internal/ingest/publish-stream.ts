import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { PublishResponse } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { toServiceError } from "../rpc/grpc-js.ts";
import { type AcceptDeps, acceptBatch } from "./accept.ts";

export interface PublishOptions extends AcceptDeps {
  /** Most bytes of one stream that may wait for JetStream; a stream at the limit is not read. */
  readonly maxInFlightBytes: number;
  readonly report: (error: unknown) => void;
}

/**
 * Serves one Publish stream. Batches are published as they arrive, many at a time; reading stops while too
 * many bytes wait, so that a slow JetStream slows the collector through gRPC's own flow control.
 * When the client half-closes, the open batches are answered before the stream ends.
 */
export function servePublish(
  call: ServerDuplexStream<Buffer, PublishResponse>,
  options: PublishOptions,
): void {
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
      call.write(await acceptBatch(options, bytes));
    } finally {
      open--;
      inFlight -= bytes.length;
      options.metrics.inFlight.dec(bytes.length);
      if (inFlight < options.maxInFlightBytes) call.resume();
    }
    finish();
  };
  call.on("data", (bytes: Buffer) => {
    take(bytes).catch((error: unknown) => {
      options.report(error);
      call.emit("error", toServiceError(error));
    });
  });
  call.on("end", () => {
    ended = true;
    finish();
  });
}
