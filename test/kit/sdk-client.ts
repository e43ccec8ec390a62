import { setTimeout as sleep } from "node:timers/promises";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  CollectService,
  EventStatus,
  SendRequestSchema,
  type SendResponse,
} from "../../internal/gen/footfall/collect/v1/collect_pb.js";
import type { EventSchema } from "../../internal/gen/footfall/event/v1/event_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import {
  RunReportRequestSchema,
  type RunReportResponse,
} from "../../internal/gen/footfall/query/v1/report_pb.js";
import { methodDefinition } from "../../internal/rpc/grpc-js.ts";

export type NewEvent = MessageInitShape<typeof EventSchema>;

const SEND = methodDefinition(CollectService.method.send);
const RUN_REPORT = methodDefinition(QueryService.method.runReport);

/** What docs/sdk-rules.md tells SDKs to set; grpc-js as it comes does the rest (gRPC A6). */
const SERVICE_CONFIG = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{}],
      waitForReady: true,
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: "0.2s",
        maxBackoff: "5s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
      },
    },
  ],
};

/** A gRPC client as an SDK should be one: docs/sdk-rules.md, and no rules of its own. */
export class SdkClient {
  readonly #client: Client;
  readonly #key: string;
  readonly #deadlineMs: number;

  /** @param urls of the processes of one service, such as "http://127.0.0.1:4317". @param key of the merchant. */
  constructor(urls: readonly string[], key: string, deadlineMs = 60_000) {
    const hosts = urls.map((url) => new URL(url).host);
    this.#client = new Client(`ipv4:${hosts.join(",")}`, credentials.createInsecure(), {
      "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
    });
    this.#key = key;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Sends events until each is accepted or a duplicate: those that are UNAVAILABLE again, after the time told.
   * @throws ServiceError when gRPC gives up, Error for an event that is rejected.
   */
  async send(events: readonly NewEvent[]): Promise<void> {
    let left = events;
    while (left.length > 0) {
      const request = create(SendRequestSchema, { events: [...left] });
      const response = await this.#call<SendResponse>(SEND, request);
      if (response.rejected > 0) throw new Error(response.rejections[0]?.message ?? "rejected");
      left = left.filter((_, index) => response.statuses[index] === EventStatus.UNAVAILABLE);
      if (left.length > 0) await sleep(durationMs(response.retryAfter!));
    }
  }

  /** @throws ServiceError when gRPC gives up. */
  report(request: MessageInitShape<typeof RunReportRequestSchema>): Promise<RunReportResponse> {
    return this.#call(RUN_REPORT, create(RunReportRequestSchema, request));
  }

  close(): void {
    this.#client.close();
  }

  #call<T>(method: ReturnType<typeof methodDefinition>, request: unknown): Promise<T> {
    // grpc-js reads it here alone, whatever the service config says.
    const metadata = new Metadata({ waitForReady: true });
    metadata.set("authorization", `Bearer ${this.#key}`);
    const options = { deadline: Date.now() + this.#deadlineMs };
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      const answer = (error: ServiceError | null, response?: unknown) =>
        error === null ? resolve(response as T) : reject(error);
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
        answer,
      );
    });
  }
}
