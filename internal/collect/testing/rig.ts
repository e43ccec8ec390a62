import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { testKey } from "../../../test/kit/keys.ts";
import type { Network, TrustedProxies } from "../../config/trusted-proxies.ts";
import { CollectService } from "../../gen/footfall/collect/v1/collect_pb.js";
import { FailedTries } from "../../rpc/by-address/failed-tries.ts";
import { inNetworks } from "../../rpc/by-address/network.ts";
import { HealthState } from "../../rpc/health.ts";
import type { OnePortServer } from "../../rpc/one-port.ts";
import { DEFAULT_LIMITS, type PortLimits } from "../../rpc/port-limits.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { createRegistry, type Registry } from "../../telemetry/metrics.ts";
import { type Collector, type CollectorOptions, createCollector } from "../collector.ts";
import { IngestClient } from "../ingest-client.ts";
import { WriteKeys } from "../keys.ts";
import { serveCollect } from "../serve.ts";
import { openSpool, type Spool } from "../spool/spool.ts";
import { FakeIngest, TOKEN, type WriteKey } from "./fake-ingest.ts";
import { FakePublisher } from "./fake-publisher.ts";

export type CollectClient = Client<typeof CollectService>;

/** A collector and an ingest, as the programs wire them, on free ports of this process. */
export interface Rig {
  readonly publisher: FakePublisher;
  readonly ingest: FakeIngest;
  readonly collector: Collector;
  readonly spool: Spool | undefined;
  readonly registry: Registry;
  /** What the collector told of why it can take no events. */
  readonly problems: (string | undefined)[];
  /** A counter's value, by its labels; 0 where it never counted. */
  count(name: string, labels: Record<string, string>): Promise<number>;
  readonly keys: WriteKeys;
  readonly url: string;
  readonly port: number;
  /** What the link to ingest told of itself. */
  readonly linkStates: (string | undefined)[];
  /** A client with the binary form over gRPC. @param key "" for none. */
  grpc(key?: WriteKey | ""): CollectClient;
  /** A client with Connect's JSON form over HTTP/1.1. */
  json(key?: WriteKey | "", headers?: Record<string, string>): CollectClient;
  /** Shuts the collector down as its program does: signal, server, batches, client. */
  drain(): Promise<void>;
  /** Drains and stops ingest. */
  close(): Promise<void>;
}

export interface RigSpool {
  readonly dir: string;
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
  readonly minFreeBytes?: number;
  readonly spoolAfterMs?: number;
}

export interface RigOptions extends Partial<Omit<CollectorOptions, "spool">> {
  readonly spool?: RigSpool;
  /** Where the collector's link goes instead of to ingest; it gets ingest's port. */
  readonly ingestAddress?: (port: number) => Promise<string>;
  readonly clientIpHeader?: string;
  /** One hop where absent. */
  readonly trustedProxies?: TrustedProxies;
  readonly proxyProtocol?: boolean;
  /** Pages that may send; all where absent. */
  readonly allowedOrigins?: readonly string[];
  /** From where no limit by address holds; from nowhere where absent. */
  readonly unlimited?: readonly Network[];
  readonly portLimits?: PortLimits;
  /** How the collector listens; "::" takes IPv4 clients too. */
  readonly host?: string;
}

const DEFAULTS = {
  collectorId: "edge",
  compression: "zstd",
  maxRows: 8_192,
  maxBytes: 2 << 20,
  maxAgeMs: 20,
  maxPendingBytes: 64 << 20,
  deliverTimeoutMs: 10_000,
  recentEvents: 10_000,
  merchantEventsPerSecond: 0,
  eventsPerSecond: 0,
  rateWindowSeconds: 2,
  maxRequests: 4_000,
  maxReadingBytes: 128 << 20,
  merchantShare: 100,
} as const;

export async function startRig({
  clientIpHeader,
  trustedProxies = { hops: 1 },
  proxyProtocol = false,
  allowedOrigins = ["*"],
  host = "127.0.0.1",
  unlimited = [],
  portLimits = DEFAULT_LIMITS,
  spool: spoolOptions,
  ingestAddress,
  ...options
}: RigOptions = {}): Promise<Rig> {
  const publisher = new FakePublisher();
  const ingest = new FakeIngest(publisher);
  await ingest.start();
  const linkStates: (string | undefined)[] = [];
  const client = new IngestClient((await ingestAddress?.(ingest.port)) ?? ingest.address, TOKEN);
  const onLinkState = (problem: string | undefined) => linkStates.push(problem);
  const problems: (string | undefined)[] = [];
  const onProblem = (problem: string | undefined) => problems.push(problem);
  const registry = createRegistry("test");
  const spool = spoolOptions && (await openRigSpool(spoolOptions, registry));
  const collector = createCollector(client, registry, {
    ...DEFAULTS,
    onLinkState,
    onProblem,
    ...options,
    spool: spool && { spool, spoolAfterMs: spoolOptions.spoolAfterMs ?? 1_000, log: SILENT },
  });
  const keys = new WriteKeys(client, 60_000, new FailedTries(inNetworks(unlimited)));
  const shutdown = new AbortController();
  const server = await serveCollect({
    ...collector,
    keys,
    host,
    port: 0,
    clientIpHeader,
    trustedProxies,
    proxyProtocol,
    portLimits,
    logSite: "https://shop.example",
    logTrustedProxies: { networks: [] },
    allowedOrigins,
    log: SILENT,
    health: new HealthState([CollectService.typeName]),
    shutdown: shutdown.signal,
  });
  const drain = once(() => drained(shutdown, server, collector, client));
  const url = `http://127.0.0.1:${server.port}`;
  return {
    publisher,
    ingest,
    collector,
    spool,
    registry,
    problems,
    keys,
    url,
    port: server.port,
    linkStates,
    async count(name, labels) {
      const metric = await registry.getSingleMetric(name)?.get();
      const same = metric?.values.find(({ labels: of }) =>
        Object.entries(labels).every(([label, value]) => of[label] === value),
      );
      return same?.value ?? 0;
    },
    grpc: (key = "ffw_one") =>
      createClient(CollectService, createGrpcTransport({ baseUrl: url, interceptors: [withHeaders(key)] })),
    json: (key = "ffw_one", headers = {}) =>
      createClient(
        CollectService,
        createConnectTransport({
          baseUrl: url,
          httpVersion: "1.1",
          interceptors: [withHeaders(key, headers)],
        }),
      ),
    drain,
    async close() {
      await drain();
      ingest.kill();
    },
  };
}

const SILENT = createLogger("test", "silent");

function openRigSpool(options: RigSpool, registry: Registry): Promise<Spool> {
  const onDeath = (error: Error) => {
    throw error;
  };
  const bounds = { maxBytes: 64 << 20, maxAgeMs: 3_600_000, minFreeBytes: 0 };
  return openSpool({ ...bounds, ...options, registry, log: SILENT, onDeath });
}

async function drained(
  shutdown: AbortController,
  server: OnePortServer,
  collector: Collector,
  client: IngestClient,
): Promise<void> {
  shutdown.abort();
  collector.beginShutdown();
  await server.close();
  await collector.close();
  client.close();
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

function withHeaders(key: string, headers: Record<string, string> = {}): Interceptor {
  return (next) => (request) => {
    if (key !== "") request.header.set("authorization", `Bearer ${testKey(key)}`);
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
}
