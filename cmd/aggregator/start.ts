import { randomUUIDv7 } from "node:crypto";
import { openGeoDatabase } from "../../internal/aggregate/geo-database.ts";
import { Lags } from "../../internal/aggregate/lags.ts";
import { keepMaintaining } from "../../internal/aggregate/maintainer.ts";
import { aggregateMetrics } from "../../internal/aggregate/metrics.ts";
import { Owner } from "../../internal/aggregate/ownership/owner.ts";
import { partitionOfLease } from "../../internal/aggregate/ownership/plan.ts";
import { aggregatePartition } from "../../internal/aggregate/partition-worker.ts";
import { keepRefreshing } from "../../internal/aggregate/refresher.ts";
import { StepContexts } from "../../internal/aggregate/step-contexts.ts";
import { STEPS } from "../../internal/aggregate/steps/process.ts";
import type { Step } from "../../internal/aggregate/steps/step.ts";
import { keepWatching } from "../../internal/aggregate/watcher.ts";
import { ConfigError } from "../../internal/config/config-error.ts";
import { parsePartitions } from "../../internal/config/partition-list.ts";
import { aggregator } from "../../internal/config/programs/aggregator.ts";
import { keepProbing } from "../../internal/program/probes.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { databaseProbe } from "../../internal/store/database-probe.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { cutConnections } from "../../internal/store/pool.ts";
import { ConnectionWatch, connectNats } from "../../internal/stream/connect.ts";
import { jetStreamProbe } from "../../internal/stream/jetstream-probe.ts";
import { BatchPublisher } from "../../internal/stream/publisher.ts";
import { openPools } from "./pools.ts";

type AggregatorService = Service<typeof aggregator.settings>;

/**
 * Wires the aggregator: database, JetStream, and the owner of partitions and of the refresher.
 * @param steps the processing steps, where they are not the usual ones.
 */
export async function start(service: AggregatorService, steps: readonly Step[] = STEPS) {
  const { config, log: parent, registry, life, files } = service;
  if (config.leaseRenewMs * 3 > config.leaseMs) {
    throw new ConfigError(
      `FOOTFALL_AGGREGATOR_LEASE_RENEW_MS: ${config.leaseRenewMs} is above a third of the lease of ${config.leaseMs} ms`,
    );
  }
  const placeOf = await openGeoDatabase(config.geoipDb);
  const instanceId = randomUUIDv7();
  const log = parent.child({ instance: instanceId });
  const pools = openPools(service, instanceId);
  const { partitions } = await readInstallation(pools.writes);
  const { env } = aggregator.settings.partitions;
  const listed = parsePartitions(config.partitions, partitions, env);
  const candidates = config.partitions === "all" ? undefined : listed;
  const nats = await connectNats(config, "aggregator", 10_000, files);
  life.onClose("NATS", () => nats.close());
  const natsWatch = new ConnectionWatch(nats);
  const metrics = aggregateMetrics(registry, partitions);
  const lags = new Lags(metrics, partitions);
  const contexts = new StepContexts(pools.writes, placeOf);
  contexts.salts.sweep(life.stopping, log);
  const refresher = {
    ...config,
    pool: pools.refresh,
    metrics,
    lags,
    log,
    intervalMs: config.refreshIntervalMs,
  };
  const maintainer = {
    ...config,
    pool: pools.maintenance,
    log,
    partitions,
    intervalMs: config.maintenanceIntervalMs,
  };
  const deps = {
    ...config,
    pool: pools.writes,
    nats,
    publisher: new BatchPublisher(nats, 5_000),
    contexts,
    metrics,
    lags,
    log,
    partitions,
    steps,
  };
  const owner = new Owner({
    pool: pools.leases,
    instanceId,
    partitions,
    servers: 1,
    candidates,
    leaseMs: config.leaseMs,
    renewMs: config.leaseRenewMs,
    // Another aggregator may reach a server that this one has lost.
    canWork: () => natsWatch.lostMs < config.leaseMs / 3,
    work: async (resource, signal) => {
      const partition = partitionOfLease(resource);
      // Who owns a server's refresher maintains it as well.
      if (partition === undefined) {
        await Promise.all([keepRefreshing(refresher, signal), keepMaintaining(maintainer, signal)]);
        return;
      }
      await aggregatePartition(partition, deps, signal);
    },
    onExpired: () => {
      for (const pool of [pools.writes, pools.refresh, pools.maintenance]) cutConnections(pool);
    },
    metrics,
    log,
  });
  life.onClose("partitions", () => owner.stop());
  await owner.start();
  const probe = databaseProbe({
    url: config.databaseUrl,
    program: "aggregator",
    limitMs: config.unreadyAfterMs,
    life,
  });
  const watching = keepWatching({ ...deps, pool: pools.watch }, life.stopping);
  life.onClose("watcher", () => watching);
  keepProbing({ ...service, ...config }, [probe, jetStreamProbe(nats)]);
  log.info({ candidates: config.partitions }, "aggregator works");
}
