import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import pLimit from "p-limit";
import { EncodeThread } from "../../internal/archive/encode-thread.ts";
import { HeldBytes } from "../../internal/archive/held-bytes.ts";
import { archiveMetrics } from "../../internal/archive/metrics.ts";
import { archivePartition } from "../../internal/archive/partition-worker.ts";
import { ConfigError } from "../../internal/config/config-error.ts";
import { parsePartitions } from "../../internal/config/partition-list.ts";
import { archiver } from "../../internal/config/programs/archiver.ts";
import { isRefused, type ObjectStore } from "../../internal/lake/object-store.ts";
import { openStore } from "../../internal/lake/open-store.ts";
import { keepProbing } from "../../internal/program/probes.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { databaseProbe } from "../../internal/store/database-probe.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { createPool } from "../../internal/store/pool.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { jetStreamProbe } from "../../internal/stream/jetstream-probe.ts";
import type { Logger } from "../../internal/telemetry/logger.ts";

/** Objects that are made and put at a time: each takes several times its size in memory. */
const SLOTS = 2;

/** How often the store is asked whether it answers, ms: each time costs as much as any request there. */
const STORE_PROBE_MS = 15_000;

/** Wires the archiver: database, JetStream, store, one worker a partition. */
export async function start(service: Service<typeof archiver.settings>) {
  const { config, log, registry, life, files } = service;
  const { databaseUrl: url, statementTimeoutMs } = config;
  const pool = createPool({ url, name: "archiver", registry, maxConnections: 4, statementTimeoutMs });
  life.onClose("database", () => pool.end());
  const { partitions } = await readInstallation(pool);
  const store = openStore(config);
  life.onClose("store", () => store.close());
  await checkBucket(store, config.s3Bucket, log);
  const nats = await connectNats(config, "archiver", 10_000, files);
  life.onClose("NATS", () => nats.close());
  const owned = parsePartitions(config.partitions, partitions, archiver.settings.partitions.env);
  const held = new HeldBytes(config.heldMaxBytes, owned.length);
  const metrics = archiveMetrics(registry);
  metrics.held(() => held.used);
  const owner = `${hostname()}/${process.pid}/${randomUUID()}`;
  const encoder = new EncodeThread();
  life.onClose("encoding", () => encoder.close());
  const slots = pLimit(SLOTS);
  const deps = { ...config, pool, nats, store, held, slots, encoder, metrics, log, owner, partitions };
  const workers = Promise.all(owned.map((partition) => archivePartition(partition, deps, life.stopping)));
  life.onClose("partitions", () => workers.then(() => {}));
  const probe = databaseProbe({ url, program: "archiver", limitMs: config.unreadyAfterMs, life });
  const storeProbe = { part: "store", ask: () => store.check(), everyMs: STORE_PROBE_MS };
  keepProbing({ ...service, ...config }, [probe, jetStreamProbe(nats), storeProbe]);
  log.info({ partitions: owned.length }, "archiver works");
}

/** A bucket that is wrong is told at once; a store that is away is waited for, as later on. */
async function checkBucket(store: ObjectStore, bucket: string, log: Logger): Promise<void> {
  try {
    await store.check();
  } catch (error) {
    if (isRefused(error)) {
      const { name, $metadata } = error as { name: string; $metadata: { httpStatusCode?: number } };
      const answer = `${$metadata.httpStatusCode} ${name}`;
      throw new ConfigError(`FOOTFALL_S3_BUCKET: ${JSON.stringify(bucket)} cannot be used: ${answer}`);
    }
    log.warn({ err: error }, "the store does not answer yet");
  }
}
