import { LineReader } from "../../internal/collect/access-log/line-reader.ts";
import { clientFinder } from "../../internal/collect/client-address/trusted-proxies.ts";
import { type Collector, createCollector } from "../../internal/collect/collector.ts";
import { importLog } from "../../internal/collect/import-log.ts";
import { IngestClient, type IngestTls } from "../../internal/collect/ingest-client.ts";
import { WriteKeys } from "../../internal/collect/keys.ts";
import { serveCollect } from "../../internal/collect/serve.ts";
import { openSpool, type Spool } from "../../internal/collect/spool/spool.ts";
import { ConfigError } from "../../internal/config/config-error.ts";
import { readPemSettings } from "../../internal/config/pem-files.ts";
import type { collector } from "../../internal/config/programs/collector.ts";
import { Failure } from "../../internal/failure/failure.ts";
import { letHeapGrow } from "../../internal/lifecycle/heap-growth.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { FailedTries } from "../../internal/rpc/by-address/failed-tries.ts";
import { inNetworks } from "../../internal/rpc/by-address/network.ts";
import { clientSide } from "../../internal/rpc/pem-provider.ts";
import { portLimitsOf } from "../../internal/rpc/port-limits.ts";

/** Wires the collector: spool, link to ingest, then the server, or the reader of an access log. */
export async function start(service: Service<typeof collector.settings>) {
  const { config, log, registry, life, health } = service;
  letHeapGrow();
  const client = new IngestClient(config.ingestAddress, config.ingestToken, ingestTls(service));
  life.onClose("ingest client", () => client.close());
  const spool = await spoolOf(service);
  const sending = createCollector(client, registry, {
    ...config,
    maxRows: config.batchMaxRows,
    maxBytes: config.batchMaxBytes,
    maxAgeMs: config.batchMaxAgeMs,
    onLinkState(problem) {
      if (problem !== undefined) log.warn({ problem }, "link to ingest");
    },
    onProblem(problem) {
      health.setProblem("delivery", problem);
    },
    spool: spool && { spool, spoolAfterMs: config.spoolAfterMs, log },
  });
  life.onClose("batches", () => sending.close());
  life.stopping.addEventListener("abort", () => sending.beginShutdown());
  const keys = new WriteKeys(
    client,
    config.keyFreshMs,
    new FailedTries(inNetworks(config.unlimitedAddresses)),
  );
  if (config.accessLog !== undefined) {
    const key = config.accessLogKey();
    if (key === undefined) {
      throw new ConfigError("FOOTFALL_COLLECTOR_ACCESS_LOG_KEY is required with --access-log");
    }
    checkFormat(config.logFormat);
    const log = { file: config.accessLog, key };
    // The service counts as started while it reads; the end of the log ends it.
    const reading = readAccessLog(service, sending, keys, spool, log).catch((error: unknown) => {
      if (life.stopping.aborted) return;
      service.log.error({ err: error }, "access log");
      life.stop("access log failed", 1);
    });
    // A signal ends the reading; the lines in hand are answered and the summary is printed all the same.
    life.onClose("access log", () => reading);
    return;
  }
  const { host, port, clientIpHeader, trustedProxies, proxyProtocol, allowedOrigins } = config;
  const server = await serveCollect({
    ...sending,
    keys,
    host,
    port,
    clientIpHeader,
    trustedProxies,
    proxyProtocol,
    portLimits: portLimitsOf(config),
    tls: readPemSettings(
      "FOOTFALL_COLLECTOR_TLS_*_FILE",
      { ca: undefined, certificate: config.tlsCertificateFile, key: config.tlsKeyFile },
      service.files,
    ),
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    logSite: config.accessLogSite,
    logTrustedProxies: config.logTrustedProxies,
    allowedOrigins,
    log,
    health,
    shutdown: life.stopping,
  });
  life.onClose("server", () => server.close());
  log.info({ port: server.port }, "collector listens");
}

function ingestTls({ config, files }: Service<typeof collector.settings>): IngestTls {
  const { ingestCaFile: ca, ingestCertificateFile: certificate, ingestKeyFile: key } = config;
  const pems = readPemSettings("FOOTFALL_INGEST_*_FILE", { ca, certificate, key }, files);
  const credentials = clientSide(pems ?? (config.ingestTls ? "system" : undefined));
  return { credentials, serverName: config.ingestServerName };
}

/** Opens the spool, if there is to be one; the collector closes it. */
async function spoolOf({ config, log, registry, life }: Service<typeof collector.settings>) {
  const { spoolDir: dir, spoolMaxBytes: maxBytes, spoolMaxAgeMs: maxAgeMs } = config;
  if (dir === undefined) return undefined;
  const onDeath = (err: Error) => {
    log.error({ err }, "spool");
    // Its batches are safe on disk: the next process finds them.
    life.stop("the spool's thread died", 1);
  };
  const minFreeBytes = config.spoolMinFreeBytes;
  try {
    const spool = await openSpool({ dir, maxBytes, maxAgeMs, minFreeBytes, registry, log, onDeath });
    if (spool.totals.batches > 0) log.info(spool.totals, "the spool holds batches");
    return spool;
  } catch (error) {
    // An operator can mend it, and needs no stack.
    throw error instanceof Failure ? new ConfigError(`--spool-dir: ${error.message}`) : error;
  }
}

function checkFormat(format: string): void {
  try {
    new LineReader({ format });
  } catch (error) {
    throw new ConfigError(
      `--log-format: ${JSON.stringify(format)} ${error instanceof Error ? error.message : ""}`,
    );
  }
}

/** Reads the log, prints the summary as one JSON line, and ends the program when ingest has all of it. */
async function readAccessLog(
  { config, log, life }: Service<typeof collector.settings>,
  sending: Collector,
  keys: WriteKeys,
  spool: Spool | undefined,
  { file, key }: { readonly file: string; readonly key: string },
): Promise<void> {
  const summary = await importLog(sending, keys, {
    file,
    key,
    format: config.logFormat,
    findClient: clientFinder("x-forwarded-for", config.logTrustedProxies),
    site: config.accessLogSite,
    follow: config.follow,
    signal: life.stopping,
    onFormat: (message) => log.info({ file }, message),
    onRefused: (line, reason) => log.warn({ file, line, reason }, "line refused"),
  });
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  await spool?.emptied(life.stopping);
  life.stop("the log is read", 0);
}
