import type { aggregator } from "../../internal/config/programs/aggregator.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { connectionName } from "../../internal/store/leases.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";

/** Connections by what they are for, so that one use does not wait behind another. */
export interface Pools {
  readonly writes: Pool;
  readonly refresh: Pool;
  readonly leases: Pool;
}

/** A refresh of many buckets may take longer than any write should, ms. */
const REFRESH_MS = 3_600_000;

/** The aggregator's pools; their names tell other aggregators whose connections they are. */
export function openPools(
  config: Service<typeof aggregator.settings>["config"],
  instanceId: string,
  life: Service<typeof aggregator.settings>["life"],
): Pools {
  const url = config.databaseUrl;
  const open = (use: string, options: Partial<Parameters<typeof createPool>[0]>) => {
    const name = connectionName(instanceId, use);
    const pool = createPool({ ...config, url, name, maxConnections: 1, ...options });
    life.onClose(`${use} connections`, () => pool.end());
    return pool;
  };
  // A renewal that takes longer than half a lease should rather be tried again on another connection.
  const half = Math.floor(config.leaseMs / 2);
  return {
    writes: open("writes", { maxConnections: config.databaseConnections }),
    refresh: open("refresh", { statementTimeoutMs: REFRESH_MS, transactionTimeoutMs: REFRESH_MS }),
    leases: open("leases", {
      statementTimeoutMs: half,
      transactionTimeoutMs: half,
      lockTimeoutMs: half,
      connectTimeoutMs: half,
    }),
  };
}
