import { LookupCache } from "../../internal/cache/lookup-cache.ts";
import { ConfigError } from "../../internal/config/config-error.ts";
import { readPemSettings } from "../../internal/config/pem-files.ts";
import type { ingest } from "../../internal/config/programs/ingest.ts";
import { IngestService } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import { ingestMetrics } from "../../internal/ingest/metrics.ts";
import { createIngestServer } from "../../internal/ingest/service.ts";
import { letHeapGrow } from "../../internal/lifecycle/heap-growth.ts";
import { keepProbing } from "../../internal/program/probes.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { addHealthCheck, bind } from "../../internal/rpc/grpc-js.ts";
import { guardGrpcPort } from "../../internal/rpc/grpc-port-guard.ts";
import { serverSide } from "../../internal/rpc/pem-provider.ts";
import { portLimitsOf } from "../../internal/rpc/port-limits.ts";
import { databaseProbe } from "../../internal/store/database-probe.ts";
import { findMerchantByKey } from "../../internal/store/merchants.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { createPool } from "../../internal/store/pool.ts";
import { writeSpoolReport } from "../../internal/store/spool-reports.ts";
import { readVisitorIdSecret } from "../../internal/store/visitor-id-secret.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { checkDurability, requireDurability } from "../../internal/stream/durability.ts";
import { jetStreamProbe } from "../../internal/stream/jetstream-probe.ts";
import { BatchPublisher, MAX_HEADER_BYTES } from "../../internal/stream/publisher.ts";
import { StreamFills } from "../../internal/stream/stream-fills.ts";
import { StreamKeeper } from "../../internal/stream/stream-keeper.ts";
import { streamLimits } from "../../internal/stream/stream-settings.ts";
import { ensureStreams } from "../../internal/stream/streams.ts";

/** How often ingest looks whether all streams are there; a batch that finds none has it looked at once. */
const STREAM_WATCH_MS = 30_000;

const NEW_STREAMS =
  "streams did not exist and were created: right for a new installation; in another one they were deleted or lost, with all that was in them and not committed";

/** Where collectors hold a stream open. */
const { parent, name } = IngestService.method.publish;
const ENDLESS: ReadonlySet<string> = new Set([`/${parent.typeName}/${name}`]);

/** Wires ingest: database (merchants), JetStream, gRPC server. */
export async function start(service: Service<typeof ingest.settings>) {
  const { config, log, registry, life, health, files } = service;
  letHeapGrow();
  const pool = createPool({
    url: config.databaseUrl,
    name: "ingest",
    use: "keys",
    registry,
    maxConnections: 4,
    // Less than collectors wait for a key: a key that is remembered is answered while the database hangs.
    statementTimeoutMs: 2_000,
    connectTimeoutMs: 2_000,
  });
  life.onClose("database", () => pool.end());
  const { partitions } = await readInstallation(pool);
  const visitorIdSecret = await readVisitorIdSecret(pool);
  const nats = await connectNats(config, "ingest", 10_000, files);
  life.onClose("NATS", () => nats.close());
  const limits = streamLimits(config);
  const promise = { ...config, partitions, limits, monitorUrls: config.natsMonitorUrls };
  requireDurability(config.durability, await checkDurability(nats, promise), log);
  const created = await ensureStreams(nats, partitions, limits);
  if (created.length > 0) log.warn({ streams: created }, NEW_STREAMS);
  const metrics = ingestMetrics(registry);
  const onMade = (stream: string) => metrics.streamsMade.inc({ stream });
  const keeper = new StreamKeeper(nats, { partitions, limits, log, onMade });
  life.onClose("streams' watch", keeper.watch(STREAM_WATCH_MS));
  const fills = new StreamFills({ partitions, registry, health, log });
  life.onClose("streams' fill", fills.watch(nats));
  const publisher = new BatchPublisher(nats, config.publishTimeoutMs, (stream) => void keeper.keep(stream));
  // A larger one could neither be published nor be kept as refused: its sender would try for ever.
  const maxBatchBytes = Math.min(config.maxBatchBytes, nats.info!.max_payload - MAX_HEADER_BYTES);
  const { tlsClientCaFile: ca, tlsCertificateFile: certificate, tlsKeyFile: key } = config;
  const pems = readPemSettings("FOOTFALL_INGEST_TLS_*_FILE", { ca, certificate, key }, files);
  if (pems !== undefined && certificate === undefined) {
    throw new ConfigError("FOOTFALL_INGEST_TLS_CLIENT_CA_FILE needs FOOTFALL_INGEST_TLS_CERTIFICATE_FILE");
  }
  const server = createIngestServer({
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    tokens: config.tokens,
    partitions,
    publisher: fills.noting(publisher),
    merchants: new LookupCache((key) => findMerchantByKey(pool, "write", key), {
      name: "write key",
      freshMs: config.keyFreshMs,
      capacity: 1_000_000,
    }),
    reportSpool: (report) => writeSpoolReport(pool, report),
    visitorIdSecret,
    metrics,
    maxBatchBytes,
    idleTimeoutMs: config.idleTimeoutMs,
    maxInFlightBytes: config.maxInFlightBytes,
    stopping: life.stopping,
    report: (error) => log.error({ err: error }, "unexpected error in an RPC"),
  });
  addHealthCheck(server, health);
  const port = await bind(server, config.host, config.port, serverSide(pems));
  life.onClose("port's limits", guardGrpcPort(port, portLimitsOf(config), ENDLESS));
  life.onClose("gRPC server", () => drain(server));
  // Batches of merchants that are known go on without the database: it is told of, and nobody is sent elsewhere.
  const database = databaseProbe({
    url: config.databaseUrl,
    program: "ingest",
    limitMs: config.unreadyAfterMs,
    life,
  });
  keepProbing({ ...service, ...config }, [jetStreamProbe(nats), { ...database, isNeeded: false }]);
  log.info({ port }, "ingest listens");
}

/** Waits until open streams, which end by themselves, have answered what they hold, and for unary calls. */
function drain(server: ReturnType<typeof createIngestServer>): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.forceShutdown(), 5_000);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}
