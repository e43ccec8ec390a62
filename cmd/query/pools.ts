import type { query } from "../../internal/config/programs/query.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";

/** Connections by what they are for: a key is looked up while all others are busy with reports. */
export interface Pools {
  readonly reports: Pool;
  readonly keys: Pool;
}

/** How long a key's look-up may take, ms: a statement by a primary key. */
const KEY_MS = 5_000;

export function openPools({ config, registry, life }: Service<typeof query.settings>): Pools {
  const { databaseUrl: url, maxConnections, statementTimeoutMs } = config;
  const limits = { registry, connectTimeoutMs: KEY_MS, waitTimeoutMs: KEY_MS };
  const reports = createPool({
    ...limits,
    url,
    name: "query",
    use: "reports",
    maxConnections,
    statementTimeoutMs,
  });
  life.onClose("database", () => reports.end());
  const keys = createPool({
    ...limits,
    url,
    name: "query keys",
    use: "keys",
    maxConnections: 2,
    statementTimeoutMs: KEY_MS,
  });
  life.onClose("key connections", () => keys.end());
  return { reports, keys };
}
