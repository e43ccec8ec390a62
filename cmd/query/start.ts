import type { query } from "../../internal/config/programs/query.ts";
import { QueryService } from "../../internal/gen/footfall/query/v1/query_pb.js";
import { keepProbing } from "../../internal/program/probes.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { readKeyAuthenticator } from "../../internal/report/authenticate.ts";
import { type Authenticate, queryGate } from "../../internal/report/gate.ts";
import { queryHandlers } from "../../internal/report/handler.ts";
import { merchantLimit } from "../../internal/report/rate-limit.ts";
import { FailedTries } from "../../internal/rpc/by-address/failed-tries.ts";
import { inNetworks } from "../../internal/rpc/by-address/network.ts";
import { connectHandler, routeStandard } from "../../internal/rpc/connect-server.ts";
import { withCors } from "../../internal/rpc/cors.ts";
import { listenOnePort } from "../../internal/rpc/one-port.ts";
import { sampleFrom } from "../../internal/store/breakdown/sample.ts";
import { databaseProbe } from "../../internal/store/database-probe.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { createPool } from "../../internal/store/pool.ts";

/** Largest request, bytes: a report's request is small. */
const MAX_REQUEST_BYTES = 64 << 10;

/** Wires the query service: database, keys, limits, one port. */
export async function start(service: Service<typeof query.settings>) {
  const { config, log, life, health } = service;
  const { databaseUrl: url, maxConnections, statementTimeoutMs, databaseWaitMs } = config;
  const pool = createPool({ url, name: "query", maxConnections, statementTimeoutMs });
  life.onClose("database", () => pool.end());
  const { partitions } = await readInstallation(pool);
  const find = readKeyAuthenticator(
    pool,
    config.keyFreshMs,
    new FailedTries(inNetworks(config.unlimitedAddresses)),
  );
  const limit = merchantLimit(config.requestsPerMinute);
  const authenticate: Authenticate = async (headers, peer) => {
    const merchant = await find(headers, peer);
    await limit(merchant.merchantId);
    return merchant;
  };
  const handler = connectHandler({
    routes(router) {
      router.service(
        QueryService,
        queryHandlers({
          pool,
          partitions,
          statementTimeoutMs,
          databaseWaitMs,
          estimateFromEvents: config.estimateFromEvents,
          sampleFor: sampleFrom(config.sampleFromEvents),
          authenticate,
        }),
      );
      routeStandard(router, health, [QueryService]);
    },
    gate: queryGate(authenticate),
    log,
    health,
    readMaxBytes: MAX_REQUEST_BYTES,
    maxTimeoutMs: config.maxTimeoutMs,
    shutdown: life.stopping,
  });
  const { host, port, allowedOrigins, proxyProtocol } = config;
  const server = await listenOnePort(host, port, withCors(handler, allowedOrigins), { proxyProtocol });
  life.onClose("server", () => server.close());
  const probe = databaseProbe({ url, program: "query", limitMs: config.unreadyAfterMs, life });
  keepProbing({ ...service, ...config }, [probe]);
  log.info({ port: server.port }, "query listens");
}
