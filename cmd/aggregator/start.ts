import { Currencies } from "../../internal/aggregate/currencies.ts";
import { aggregateMetrics } from "../../internal/aggregate/metrics.ts";
import { workPartition } from "../../internal/aggregate/partition-worker.ts";
import { Refresher } from "../../internal/aggregate/refresher.ts";
import { parsePartitions } from "../../internal/config/partition-list.ts";
import { aggregator } from "../../internal/config/programs/aggregator.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { createPool } from "../../internal/store/pool.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";

/** Wires the aggregator: database, JetStream, one worker a partition, one refresher. */
export async function start({ config, log, registry, life }: Service<typeof aggregator.settings>) {
  const { databaseUrl: url, statementTimeoutMs } = config;
  const pool = createPool({ url, name: "aggregator", maxConnections: 8, statementTimeoutMs });
  life.onClose("database", () => pool.end());
  // A refresh of many buckets may take longer than any write should.
  const refreshPool = createPool({
    url,
    name: "aggregator refresh",
    maxConnections: 1,
    statementTimeoutMs: 3_600_000,
  });
  life.onClose("refresh connection", () => refreshPool.end());
  const { partitions } = await readInstallation(pool);
  const nats = await connectNats(config.natsUrl, "aggregator", 10_000);
  life.onClose("NATS", () => nats.close());
  const metrics = aggregateMetrics(registry);
  const refresher = new Refresher({ pool: refreshPool, metrics, log, intervalMs: config.refreshIntervalMs });
  const deps = {
    ...config,
    pool,
    nats,
    publisher: new BatchPublisher(nats, 5_000),
    currencies: new Currencies(pool),
    metrics,
    log,
    partitions,
    onCommit: () => refresher.committed(),
  };
  const owned = parsePartitions(config.partitions, partitions, aggregator.settings.partitions.env);
  const refreshStopped = new AbortController();
  const refreshing = refresher.run(refreshStopped.signal);
  const workers = Promise.all(owned.map((partition) => workPartition(partition, deps, life.stopping)));
  // The last commits are refreshed before the refresher ends.
  life.onClose("refresher", () => {
    refreshStopped.abort();
    return refreshing;
  });
  life.onClose("partitions", () => workers.then(() => {}));
  log.info({ partitions: owned.length }, "aggregator works");
}
