import { readPemSettings } from "../../internal/config/pem-files.ts";
import type { query } from "../../internal/config/programs/query.ts";
import { GoalService } from "../../internal/gen/footfall/query/v1/goals_pb.js";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { letHeapGrow } from "../../internal/lifecycle/heap-growth.ts";
import { keepProbing } from "../../internal/program/probes.ts";
import type { Service } from "../../internal/program/run-service.ts";
import type { ReportDeps } from "../../internal/query/rpc/answer-reports.ts";
import { callerAuthenticator } from "../../internal/query/rpc/authenticate.ts";
import { batchRunReports } from "../../internal/query/rpc/batch-run-reports.ts";
import { type Authenticate, queryGate } from "../../internal/query/rpc/gate.ts";
import { getMetadata } from "../../internal/query/rpc/get-metadata.ts";
import { goalMethods } from "../../internal/query/rpc/goals/methods.ts";
import { queryMetrics } from "../../internal/query/rpc/metrics.ts";
import { merchantLimit } from "../../internal/query/rpc/rate-limit.ts";
import { runFunnel } from "../../internal/query/rpc/run-funnel.ts";
import { runReport } from "../../internal/query/rpc/run-report.ts";
import { Budgets } from "../../internal/query/run/budgets.ts";
import { QuestionRunner } from "../../internal/query/run/run-questions.ts";
import { Turns } from "../../internal/query/run/turns.ts";
import { FailedTries } from "../../internal/rpc/by-address/failed-tries.ts";
import { inNetworks } from "../../internal/rpc/by-address/network.ts";
import { connectHandler } from "../../internal/rpc/connect-server.ts";
import { withCors } from "../../internal/rpc/cors.ts";
import { routeHealthCheck } from "../../internal/rpc/health.ts";
import { listenOnePort } from "../../internal/rpc/one-port.ts";
import { portLimitsOf } from "../../internal/rpc/port-limits.ts";
import { databaseProbe } from "../../internal/store/database-probe.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { openPools } from "./pools.ts";

/** Largest request, bytes: a report's request is small. */
const MAX_REQUEST_BYTES = 64 << 10;

/** A database that does not begin a transaction within the time that is waited for one hangs; it gets this at least, ms. */
const LEAST_BEGIN_MS = 1_000;

/** Wires the query service: database, keys, limits, one port. */
export async function start(service: Service<typeof query.settings>) {
  const { config, log, registry, life, health } = service;
  letHeapGrow();
  const { statementTimeoutMs, databaseWaitMs, maxTimeoutMs } = config;
  const pools = openPools(service);
  const { partitions } = await readInstallation(pools.keys);
  const turns = new Turns({ slots: config.maxConnections, waiting: config.maxWaiting });
  const metrics = queryMetrics(registry);
  const runner = new QuestionRunner({
    pool: pools.reports,
    quickPool: pools.quick,
    turns,
    budgets: new Budgets(config.costUnitsPerHour),
    statementTimeoutMs,
    cacheBytes: config.answerCacheBytes,
  });
  metrics.watch(turns, runner);
  const tries = new FailedTries(inNetworks(config.unlimitedAddresses));
  const find = callerAuthenticator(pools.keys, config.keyFreshMs, tries);
  const limit = merchantLimit(config.requestsPerMinute);
  const authenticate: Authenticate = async (headers, peer, kind) => {
    const merchant = await find(headers, peer, kind);
    await limit(merchant.merchantId);
    return merchant;
  };
  const deps: ReportDeps = {
    pool: pools.reports,
    quickPool: pools.quick,
    partitions,
    runner,
    statementTimeoutMs,
    databaseWaitMs,
    beginTimeoutMs: Math.max(databaseWaitMs, LEAST_BEGIN_MS),
    maxTimeoutMs,
    sampleFromEvents: config.sampleFromEvents,
    turns,
    metrics,
    authenticate,
  };
  const handler = connectHandler({
    routes(router) {
      router.service(QueryService, {
        runReport: runReport(deps),
        batchRunReports: batchRunReports(deps),
        runFunnel: runFunnel(deps),
        getMetadata: getMetadata(deps),
      });
      router.service(GoalService, goalMethods(deps));
      routeHealthCheck(router, health);
    },
    gate: queryGate([QueryService, GoalService], authenticate, metrics),
    log,
    health,
    readMaxBytes: MAX_REQUEST_BYTES,
    maxTimeoutMs,
    shutdown: life.stopping,
  });
  const { host, port, allowedOrigins, proxyProtocol } = config;
  const server = await listenOnePort(host, port, withCors(handler, allowedOrigins), {
    proxyProtocol,
    limits: portLimitsOf(config),
    tls: readPemSettings(
      "FOOTFALL_QUERY_TLS_*_FILE",
      { ca: undefined, certificate: config.tlsCertificateFile, key: config.tlsKeyFile },
      service.files,
    ),
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    log,
  });
  life.onClose("server", () => server.close());
  const probe = databaseProbe({
    url: config.databaseUrl,
    program: "query",
    limitMs: config.unreadyAfterMs,
    life,
  });
  keepProbing({ ...service, ...config }, [probe]);
  log.info({ port: server.port }, "query listens");
}
