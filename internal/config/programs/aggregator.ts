import { z } from "zod";
import { integer } from "../setting.ts";
import {
  allowFailpoints,
  closeDeadlineMs,
  databaseUrl,
  failpoints,
  host,
  logLevel,
  natsUrl,
  opsPort,
} from "./shared.ts";

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
      description: "which partitions to work, such as 0-31 or 3,5; all",
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
      description: "most bytes fetched ahead for each partition",
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
    statementTimeoutMs: {
      env: "FOOTFALL_AGGREGATOR_STATEMENT_TIMEOUT_MS",
      flag: "statement-timeout-ms",
      description: "longest time of a write statement, ms",
      schema: integer(100, 3_600_000),
      fallback: "60000",
    },
    closeDeadlineMs,
    logLevel,
    failpoints,
    allowFailpoints,
  },
} as const;
