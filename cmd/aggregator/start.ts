import { randomUUIDv7 } from "node:crypto";
import { Currencies } from "../../internal/aggregate/currencies.ts";
import { aggregateMetrics } from "../../internal/aggregate/metrics.ts";
import { Owner } from "../../internal/aggregate/ownership/owner.ts";
import { partitionOf } from "../../internal/aggregate/ownership/plan.ts";
import { workPartition } from "../../internal/aggregate/partition-worker.ts";
import { keepRefreshing } from "../../internal/aggregate/refresher.ts";
import type { aggregator } from "../../internal/config/programs/aggregator.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { cutConnections } from "../../internal/store/pool.ts";
import { ConnectionWatch, connectNats } from "../../internal/stream/connect.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { parsePartitions } from "./partitions.ts";
import { openPools } from "./pools.ts";

type AggregatorService = Service<typeof aggregator.settings>;

/** Wires the aggregator: database, JetStream, and the owner of partitions and of the refresher. */
export async function start({ config, log: parent, registry, life }: AggregatorService) {
  if (config.leaseRenewMs * 3 > config.leaseMs) {
    throw new ConfigError(
      `FOOTFALL_AGGREGATOR_LEASE_RENEW_MS: ${config.leaseRenewMs} is above a third of the lease of ${config.leaseMs} ms`,
    );
  }
  const instanceId = randomUUIDv7();
  const log = parent.child({ instance: instanceId });
  const pools = openPools(config, instanceId, life);
  const { partitions } = await readInstallation(pools.writes);
  const candidates = parsePartitions(config.partitions, partitions);
  const nats = await connectNats(config.natsUrl, "aggregator", 10_000);
  life.onClose("NATS", () => nats.close());
  const natsWatch = new ConnectionWatch(nats);
  const metrics = aggregateMetrics(registry);
  const refresher = { pool: pools.refresh, metrics, log, intervalMs: config.refreshIntervalMs };
  const deps = {
    ...config,
    pool: pools.writes,
    nats,
    publisher: new BatchPublisher(nats, 5_000),
    currencies: new Currencies(pools.writes),
    metrics,
    log,
    partitions,
  };
  const owner = new Owner({
    pool: pools.leases,
    instanceId,
    partitions,
    candidates,
    leaseMs: config.leaseMs,
    renewMs: config.leaseRenewMs,
    // Another aggregator may reach a server that this one has lost.
    canWork: () => natsWatch.lostMs < config.leaseMs / 3,
    work: async (resource, signal) => {
      const partition = partitionOf(resource);
      if (partition === undefined) return keepRefreshing(refresher, signal);
      await workPartition(partition, deps, signal);
      metrics.lag.remove({ partition });
    },
    onExpired: () => {
      for (const pool of [pools.writes, pools.refresh]) cutConnections(pool);
    },
    metrics,
    log,
  });
  life.onClose("partitions", () => owner.stop());
  await owner.start();
  log.info({ candidates: config.partitions }, "aggregator works");
}
