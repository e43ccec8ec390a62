import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import type { IngestClient } from "../../internal/collect/ingest-client.ts";
import { formatId } from "../../internal/event/event-id.ts";
import type { PublishResponse } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { waitFor } from "./installation-wait.ts";

/** One Publish stream as a collector holds it, with all its answers. */
export class TestPublishStream {
  /** In the order in which they came. */
  readonly answers: PublishResponse[] = [];
  readonly #stream: ClientDuplexStream<Uint8Array, PublishResponse>;
  #end: { code: number; details: string } | undefined;

  constructor(client: IngestClient) {
    this.#stream = client.publish();
    this.#stream.on("data", (answer: PublishResponse) => this.answers.push(answer));
    this.#stream.on("error", () => {});
    this.#stream.on("status", ({ code, details }: ServiceError) => {
      this.#end = { code, details };
    });
  }

  /** The gRPC status with which the stream ended; undefined while it is open. */
  get end(): { code: number; details: string } | undefined {
    return this.#end;
  }

  send(...batches: Uint8Array[]): void {
    for (const bytes of batches) this.#stream.write(bytes);
  }

  /** Says that nothing more will be sent. */
  halfClose(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  /** The answer to a batch, by its id as a UUID is written; ids that are no UUID are answered as zeros. */
  answer(id: string): Promise<PublishResponse> {
    return waitFor(`the answer to batch ${id}`, () =>
      this.answers.find(({ batchId }) => batchId.length === 16 && formatId(batchId) === id),
    );
  }

  /** The status with which the stream ends. */
  ended(): Promise<{ code: number; details: string }> {
    return waitFor("the end of the stream", () => this.#end);
  }
}
