import { partitionList } from "../partition-list.ts";
import { integer, withVariables } from "../setting.ts";
import { s3 } from "./s3.ts";
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

export const archiver = {
  name: "archiver",
  description:
    "Keeps every batch of its partitions on S3 as Parquet, until `admin archive erase` finds it older than its retention.",
  settings: withVariables("FOOTFALL_ARCHIVER", {
    opsHost,
    opsPort: opsPort(9321),
    ...opsTlsSettings,
    databaseUrl,
    ...natsSettings,
    ...s3,
    partitions: partitionList,
    objectMaxBytes: {
      description: "an object closes at about this many bytes of batches",
      schema: integer(1_024, 1 << 30),
      fallback: "67108864",
    },
    objectMaxAgeMs: {
      description: "... or when its first batch was stored this long ago, ms",
      schema: integer(50, 86_400_000),
      fallback: "300000",
    },
    heldMaxBytes: {
      description:
        "bytes of batches of all partitions that wait for their object; beyond it, objects close early",
      schema: integer(1 << 20, 64 * 2 ** 30),
      fallback: "268435456",
    },
    fetchMaxBytes: {
      description: "most bytes fetched ahead for each partition; not less than the largest batch",
      schema: integer(1 << 20, 1 << 30),
      fallback: "8388608",
    },
    leaseMs: {
      description: "how long a partition stays with an archiver that died before another takes it, ms",
      schema: integer(300, 600_000),
      fallback: "15000",
    },
    streamChangedMs: {
      description:
        "how long a stream may lack what is archived of it, as under a new leader, before the position goes back to its beginning, ms",
      schema: integer(0, 3_600_000),
      fallback: "15000",
    },
    statementTimeoutMs: {
      description: "longest time of a statement, ms",
      schema: integer(100, 3_600_000),
      fallback: "30000",
    },
    unreadyAfterMs,
    closeDeadlineMs,
    logLevel,
    failpoints,
    allowFailpoints,
  }),
} as const;
