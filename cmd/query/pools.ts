import type { query } from "../../internal/config/programs/query.ts";
import type { Service } from "../../internal/program/run-service.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";

/** Connections by what they are for: a key is looked up while all others are busy with reports. */
export interface Pools {
  readonly reports: Pool;
  readonly keys: Pool;
  /** For what is quick: whether answers that are kept are still right, and goals. */
  readonly quick: Pool;
}

/** How long a statement by a primary key may take, ms: a key's look-up, and its like. */
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
  const few = { ...limits, url, maxConnections: 2, statementTimeoutMs: KEY_MS };
  const keys = createPool({ ...few, name: "query keys", use: "keys" });
  life.onClose("key connections", () => keys.end());
  const quick = createPool({ ...few, name: "query quick", use: "quick" });
  life.onClose("quick connections", () => quick.end());
  return { reports, keys, quick };
}
