import { create, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { Failure } from "../failure/failure.ts";
import {
  IngestService,
  type PublishResponse,
  ReportSpoolRequestSchema,
  ResolveKeyRequestSchema,
  type ResolveKeyResponse,
} from "../gen/footfall/ingest/v1/ingest_pb.js";
import { methodDefinition } from "../rpc/grpc-js.ts";

const PUBLISH = methodDefinition(IngestService.method.publish, true);
const REPORT_SPOOL = methodDefinition(IngestService.method.reportSpool);
const RESOLVE_KEY = methodDefinition(IngestService.method.resolveKey);

/** Longest wait for the answer to ResolveKey, ms. */
const RESOLVE_TIMEOUT_MS = 5_000;

/** Longest wait for the answer to ReportSpool, ms. */
const REPORT_TIMEOUT_MS = 2_000;

/** A gRPC client of IngestService that sends batches as the bytes they are. */
export class IngestClient {
  readonly #client: Client;
  readonly #token: string | (() => string);

  /** @param address host:port. @param token the collectors' token; a function is asked at each call. */
  constructor(address: string, token: string | (() => string)) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 5_000,
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 1_000,
    });
    this.#token = token;
  }

  /** Opens a stream of batches. */
  publish(): ClientDuplexStream<Uint8Array, PublishResponse> {
    const { path, requestSerialize, responseDeserialize } = PUBLISH;
    return this.#client.makeBidiStreamRequest(
      path,
      requestSerialize as (value: Uint8Array) => Buffer,
      responseDeserialize as (bytes: Buffer) => PublishResponse,
      this.#metadata(),
    );
  }

  /** The merchant of a write key. @throws Failure not_found for an unknown key, unavailable otherwise. */
  resolveKey(keySha256: Uint8Array): Promise<ResolveKeyResponse> {
    return this.#unary(RESOLVE_KEY, create(ResolveKeyRequestSchema, { keySha256 }), RESOLVE_TIMEOUT_MS);
  }

  /** Tells what a spool holds. @throws Failure when it could not be written down. */
  async reportSpool(report: MessageInitShape<typeof ReportSpoolRequestSchema>): Promise<void> {
    await this.#unary(REPORT_SPOOL, create(ReportSpoolRequestSchema, report), REPORT_TIMEOUT_MS);
  }

  #unary<O>(method: ReturnType<typeof methodDefinition>, request: Message, timeoutMs: number): Promise<O> {
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize as (bytes: Buffer) => O,
        request,
        this.#metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, response) => (error === null ? resolve(response!) : reject(toFailure(error))),
      );
    });
  }

  close(): void {
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    const token = typeof this.#token === "string" ? this.#token : this.#token();
    metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }
}

function toFailure(error: ServiceError): Failure {
  if (error.code === status.NOT_FOUND) return new Failure("not_found", error.details, { cause: error });
  return new Failure("unavailable", `ingest: ${error.details}`, { cause: error, retryAfterMs: 500 });
}
