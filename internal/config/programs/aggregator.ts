import { partitionList } from "../partition-list.ts";
import { integer, optionalText, withVariables } from "../setting.ts";
import { databaseLimits } from "./database-limits.ts";
import {
  allowFailpoints,
  closeDeadlineMs,
  databaseUrl,
  failpoints,
  logLevel,
  natsSettings,
  opsHost,
  opsPort,
  opsTlsSettings,
  unreadyAfterMs,
} from "./shared.ts";

export const aggregator = {
  name: "aggregator",
  description:
    "Writes the batches of its partitions to TimescaleDB, rows and ledger in one transaction, and refreshes the continuous aggregates that they touched.",
  settings: withVariables("FOOTFALL_AGGREGATOR", {
    opsHost,
    opsPort: opsPort(9319),
    ...opsTlsSettings,
    databaseUrl,
    ownerDatabaseUrl: {
      description:
        "the same database as a user with the role footfall_owner, for refreshes and maintenance, which TimescaleDB lets nobody but owners do; none: DATABASE_URL",
      schema: optionalText(),
      fallback: "",
      secret: true,
    },
    ...natsSettings,
    partitions: partitionList,
    commitMaxRows: {
      description: "most rows of one transaction, as far as whole batches allow",
      schema: integer(1, 1_000_000),
      fallback: "20000",
    },
    fetchMaxBytes: {
      description: "most bytes fetched ahead for each partition: what is held while the database is slow",
      schema: integer(1 << 20, 1 << 30),
      fallback: "8388608",
    },
    refreshIntervalMs: {
      description: "shortest pause between refreshes of the continuous aggregates, ms",
      schema: integer(10, 3_600_000),
      fallback: "500",
    },
    feedStallMs: {
      description:
        "how long JetStream may deliver nothing of a stream that has more before its consumer is made anew, ms",
      schema: integer(100, 3_600_000),
      fallback: "10000",
    },
    streamChangedMs: {
      description:
        "how long a stream may lack what is committed of it, as under a new leader, before the position goes back to its beginning, ms",
      schema: integer(0, 3_600_000),
      fallback: "15000",
    },
    maintenanceIntervalMs: {
      description: "pause between rounds of maintenance: retention, and conversion to the columnstore, ms",
      schema: integer(100, 86_400_000),
      fallback: "3600000",
    },
    columnstoreAfterDays: {
      description:
        "days after its end at which a chunk of raw rows or event keys goes to the columnstore; 0: never",
      schema: integer(0, 7_300),
      fallback: "3",
    },
    rollupEventsPerDay: {
      description: "events on a UTC day from which on a merchant's reports are kept as rollups; 0: never",
      schema: integer(0, 1_000_000_000),
      fallback: "10000",
    },
    heartbeatMs: {
      description: "how often a partition without traffic moves data_through, ms",
      schema: integer(50, 3_600_000),
      fallback: "1000",
    },
    geoipDb: {
      env: "GEOIP_DB",
      description:
        "file in MaxMind's format (.mmdb) that tells country, region and city of an address; empty for the country database that comes with Footfall",
      schema: optionalText(),
      fallback: "",
    },
    leaseMs: {
      description: "how long a partition stays with an aggregator that is not heard of, ms",
      schema: integer(500, 600_000),
      fallback: "6000",
    },
    leaseRenewMs: {
      description:
        "how often leases are renewed and partitions shared out anew, ms; at most a third of the lease",
      schema: integer(50, 200_000),
      fallback: "1000",
    },
    refreshTimeoutMs: {
      description: "longest time of refreshing one span of invalid buckets, ms",
      schema: integer(100, 86_400_000),
      fallback: "3600000",
    },
    ...databaseLimits,
    processTries: {
      description:
        "how often a batch is tried that a step fails on, or whose rows the database refuses, before it goes to the dead-letter stream",
      schema: integer(1, 100),
      fallback: "3",
    },
    unreadyAfterMs,
    closeDeadlineMs,
    logLevel,
    failpoints,
    allowFailpoints,
  }),
} as const;
