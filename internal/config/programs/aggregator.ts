import { z } from "zod";
import { integer } from "../setting.ts";
import { databaseLimits } from "./database-limits.ts";
import { closeDeadlineMs, databaseUrl, host, logLevel, natsUrl, opsPort } from "./shared.ts";

export const aggregator = {
  name: "aggregator",
  description:
    "Writes the batches of its partitions to TimescaleDB, rows and ledger in one transaction, and refreshes the continuous aggregates that they touched.",
  settings: {
    host,
    opsPort: opsPort("aggregator", 9319),
    databaseUrl,
    natsUrl,
    partitions: {
      env: "FOOTFALL_AGGREGATOR_PARTITIONS",
      flag: "partitions",
      description:
        "which partitions it may work, such as 0-31 or 3,5; all. Those of several aggregators are shared out evenly",
      schema: z
        .string()
        .regex(/^(all|\d+(-\d+)?(,\d+(-\d+)?)*)$/, "is neither `all` nor a list such as 0-31,40"),
      fallback: "all",
    },
    commitMaxRows: {
      env: "FOOTFALL_AGGREGATOR_COMMIT_MAX_ROWS",
      flag: "commit-max-rows",
      description: "most rows of one transaction, as far as whole batches allow",
      schema: integer(1, 1_000_000),
      fallback: "20000",
    },
    fetchMaxBytes: {
      env: "FOOTFALL_AGGREGATOR_FETCH_MAX_BYTES",
      flag: "fetch-max-bytes",
      description: "most bytes fetched ahead for each partition: what is held while the database is slow",
      schema: integer(1 << 20, 1 << 30),
      fallback: "8388608",
    },
    refreshIntervalMs: {
      env: "FOOTFALL_AGGREGATOR_REFRESH_INTERVAL_MS",
      flag: "refresh-interval-ms",
      description: "shortest pause between refreshes of the continuous aggregates, ms",
      schema: integer(10, 3_600_000),
      fallback: "500",
    },
    heartbeatMs: {
      env: "FOOTFALL_AGGREGATOR_HEARTBEAT_MS",
      flag: "heartbeat-ms",
      description: "how often a partition without traffic moves data_through, ms",
      schema: integer(50, 3_600_000),
      fallback: "1000",
    },
    leaseMs: {
      env: "FOOTFALL_AGGREGATOR_LEASE_MS",
      flag: "lease-ms",
      description: "how long a partition stays with an aggregator that is not heard of, ms",
      schema: integer(500, 600_000),
      fallback: "6000",
    },
    leaseRenewMs: {
      env: "FOOTFALL_AGGREGATOR_LEASE_RENEW_MS",
      flag: "lease-renew-ms",
      description:
        "how often leases are renewed and partitions shared out anew, ms; at most a third of the lease",
      schema: integer(50, 200_000),
      fallback: "1000",
    },
    ...databaseLimits("aggregator"),
    closeDeadlineMs,
    logLevel,
  },
} as const;
