import type { aggregator } from "../../internal/config/programs/aggregator.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { connectionName } from "../../internal/store/leases.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";

/** Connections by what they are for, so that one use does not wait behind another. */
export interface Pools {
  readonly writes: Pool;
  readonly refresh: Pool;
  readonly maintenance: Pool;
  readonly leases: Pool;
  /** Short questions that must fail soon where the database hangs. */
  readonly watch: Pool;
}

/** The aggregator's pools; their names tell other aggregators whose connections they are. */
export function openPools(
  { config, registry, life }: Service<typeof aggregator.settings>,
  instanceId: string,
): Pools {
  const url = config.databaseUrl;
  const open = (use: string, options: Partial<Parameters<typeof createPool>[0]>) => {
    const name = connectionName(instanceId, use);
    const pool = createPool({ ...config, url, name, use, registry, maxConnections: 1, ...options });
    life.onClose(`${use} connections`, () => pool.end());
    return pool;
  };
  // A renewal that takes longer than half a lease should rather be tried again on another connection.
  const half = Math.floor(config.leaseMs / 2);
  const long = {
    url: () => config.ownerDatabaseUrl() ?? url(),
    statementTimeoutMs: config.refreshTimeoutMs,
    transactionTimeoutMs: config.refreshTimeoutMs,
  };
  return {
    writes: open("writes", { maxConnections: config.databaseConnections }),
    // A refresh of many buckets, or the conversion of a chunk, may take longer than any write should.
    refresh: open("refresh", long),
    maintenance: open("maintenance", long),
    watch: open("watch", {
      statementTimeoutMs: config.unreadyAfterMs,
      transactionTimeoutMs: config.unreadyAfterMs,
    }),
    leases: open("leases", {
      statementTimeoutMs: half,
      transactionTimeoutMs: half,
      lockTimeoutMs: half,
      connectTimeoutMs: half,
    }),
  };
}
