import { create, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  connectivityState,
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

/** Every server that a name stands for gets calls in turn, not the first one alone. */
const IN_TURN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });

/** How TLS is spoken to ingest; nothing of it where that is not wanted. */
export interface IngestTls {
  readonly credentials?: ChannelCredentials;
  /** Whose certificate ingest must show, where that is not the address' own host. */
  readonly serverName?: string | undefined;
}

/** A gRPC client of IngestService that sends batches as the bytes they are. */
export class IngestClient {
  /** One for each address. */
  readonly #clients: readonly Client[];
  readonly #token: string | (() => string);
  #turn = 0;

  /**
   * @param address host:port; several are parted by commas, and all that a host's name stands for are used.
   * @param token the collectors' token; a function is asked at each call.
   */
  constructor(address: string, token: string | (() => string), tls: IngestTls = {}) {
    const { credentials: channel = credentials.createInsecure(), serverName } = tls;
    this.#clients = targetsOf(address).map(
      (target) =>
        new Client(target, channel, {
          "grpc.keepalive_time_ms": 20_000,
          "grpc.keepalive_timeout_ms": 5_000,
          "grpc.initial_reconnect_backoff_ms": 50,
          "grpc.max_reconnect_backoff_ms": 1_000,
          "grpc.dns_min_time_between_resolutions_ms": 5_000,
          "grpc.service_config": IN_TURN,
          "grpc.service_config_disable_resolution": 1,
          ...(serverName === undefined ? {} : { "grpc.ssl_target_name_override": serverName }),
        }),
    );
    this.#token = token;
  }

  /** Opens a stream of batches. */
  publish(): ClientDuplexStream<Uint8Array, PublishResponse> {
    const { path, requestSerialize, responseDeserialize } = PUBLISH;
    return this.#next().makeBidiStreamRequest(
      path,
      requestSerialize as (value: Uint8Array) => Buffer,
      responseDeserialize as (bytes: Buffer) => PublishResponse,
      this.#metadata(),
    );
  }

  /** The merchant of a write key. @throws Failure not_found for an unknown one, unavailable otherwise. */
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
      this.#next().makeUnaryRequest(
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
    for (const client of this.#clients) client.close();
  }

  /** The clients in turn, those whose servers are away left out while others are not. */
  #next(): Client {
    const turn = this.#turn++;
    const inTurn = this.#clients.map((_, at) => this.#clients[(turn + at) % this.#clients.length]!);
    const isAway = (client: Client) =>
      client.getChannel().getConnectivityState(true) === connectivityState.TRANSIENT_FAILURE;
    return inTurn.find((client) => !isAway(client)) ?? inTurn[0]!;
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    const token = typeof this.#token === "string" ? this.#token : this.#token();
    metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }
}

/** gRPC's names of what an address says: https://github.com/grpc/grpc/blob/master/doc/naming.md */
function targetsOf(address: string): string[] {
  if (/^(dns|ipv4|ipv6|unix):/.test(address)) return [address];
  return address.split(",").map((one) => `dns:///${one.trim()}`);
}

function toFailure(error: ServiceError): Failure {
  if (error.code === status.NOT_FOUND) return new Failure("not_found", error.details, { cause: error });
  return new Failure("unavailable", `ingest: ${error.details}`, { cause: error, retryAfterMs: 500 });
}
