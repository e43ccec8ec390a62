import { timingSafeEqual } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Server, type ServerDuplexStream } from "@grpc/grpc-js";
import type { LookupCache } from "../cache/lookup-cache.ts";
import { merchantVisitorKey } from "../event/visitor-id.ts";
import { Failure } from "../failure/failure.ts";
import {
  IngestService,
  type PublishResponse,
  type ReportSpoolRequest,
  type ReportSpoolResponse,
  ReportSpoolResponseSchema,
  type ResolveKeyRequest,
  type ResolveKeyResponse,
  ResolveKeyResponseSchema,
} from "../gen/footfall/ingest/v1/ingest_pb.js";
import { bearerToken } from "../rpc/bearer.ts";
import { serviceDefinition, toServiceError, unary } from "../rpc/grpc-js.ts";
import { DEFAULT_LIMITS } from "../rpc/port-limits.ts";
import { keySha256 } from "../store/api-keys.ts";
import type { Merchant } from "../store/merchants.ts";
import type { SpoolReport } from "../store/spool-reports.ts";
import { type PublishOptions, servePublish } from "./publish-stream.ts";
import { spoolReportFromWire } from "./report-spool.ts";

export interface IngestOptions extends PublishOptions {
  /** The collectors' tokens of this moment; several, so that one can be replaced without a pause. */
  readonly tokens: () => readonly string[];
  /** How long a connection may have no call, ms; a port's default where absent. */
  readonly idleTimeoutMs?: number;
  /** How long a connection is used before its collector is told to make another, ms; 0, or absent: for ever. */
  readonly maxConnectionAgeMs?: number;
  /** Merchants by the SHA-256 of their write keys. */
  readonly merchants: LookupCache<Merchant>;
  /** Writes down what a spool holds. @throws Failure when it cannot be. */
  readonly reportSpool: (report: SpoolReport) => Promise<void>;
  /** The installation's, of which collectors are told the merchants' visitor-id keys. */
  readonly visitorIdSecret: Uint8Array;
}

/** The gRPC server of IngestService, not yet bound. */
export function createIngestServer(options: IngestOptions): Server {
  const authenticate = (authorization: string | undefined) => {
    const given = keySha256(bearerToken(authorization));
    // All are compared: the time tells nothing of which one it is.
    const same = options.tokens().map((token) => timingSafeEqual(keySha256(token), given));
    if (!same.includes(true)) {
      throw new Failure("unauthenticated", "authorization: unknown collector token");
    }
  };
  const server = new Server({
    // A batch that is too large is refused by itself; gRPC's own limit would end the stream with all its batches.
    "grpc.max_receive_message_length": 2 * options.maxBatchBytes,
    // A collector that vanished is noticed, and its stream given up, within 30 s.
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_concurrent_streams": 1_000,
    "grpc.max_connection_idle_ms": options.idleTimeoutMs ?? DEFAULT_LIMITS.idleTimeoutMs,
    // Collectors replace their streams sooner than that: none is cut.
    ...(options.maxConnectionAgeMs
      ? {
          "grpc.max_connection_age_ms": options.maxConnectionAgeMs,
          "grpc.max_connection_age_grace_ms": 120_000,
        }
      : {}),
  });
  const publish = (call: ServerDuplexStream<Buffer, PublishResponse>) => {
    try {
      authenticate(call.metadata.get("authorization")[0]?.toString());
    } catch (error) {
      call.emit("error", toServiceError(error));
      return;
    }
    servePublish(call, options);
  };
  const resolveKey = unary(async (request: ResolveKeyRequest, authorization): Promise<ResolveKeyResponse> => {
    authenticate(authorization);
    const { value: merchant, readTime } = await options.merchants.get(request.keySha256);
    return create(ResolveKeyResponseSchema, {
      merchantId: merchant.merchantId,
      retentionDays: merchant.retentionDays,
      partitions: options.partitions,
      readTime: timestampFromMs(readTime),
      keepFullIp: !merchant.truncateIp,
      visitorIdKey: merchantVisitorKey(options.visitorIdSecret, merchant.merchantId),
    });
  }, options.report);
  const reportSpool = unary(
    async (request: ReportSpoolRequest, authorization): Promise<ReportSpoolResponse> => {
      authenticate(authorization);
      await options.reportSpool(spoolReportFromWire(request, options.partitions));
      return create(ReportSpoolResponseSchema);
    },
    options.report,
  );
  const handlers = { publish, resolveKey, reportSpool };
  server.addService(serviceDefinition(IngestService, ["publish"]), handlers);
  return server;
}
