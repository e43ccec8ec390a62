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
  servicePort,
} from "./shared.ts";

export const ingest = {
  name: "ingest",
  description:
    "Takes batches from collectors over gRPC, checks them and acks each after JetStream's own ack.",
  settings: {
    host,
    port: servicePort("ingest", 4318),
    opsPort: opsPort("ingest", 9318),
    databaseUrl,
    natsUrl,
    tokens: {
      env: "FOOTFALL_INGEST_TOKENS",
      flag: "tokens",
      description: "tokens that collectors may show, parted by commas",
      schema: z
        .string()
        .transform((value) => value.split(",").filter((token) => token !== ""))
        .pipe(z.array(z.string()).min(1, "names no token")),
      secret: true,
    },
    maxBatchBytes: {
      env: "FOOTFALL_INGEST_MAX_BATCH_BYTES",
      flag: "max-batch-bytes",
      description: "largest batch as it travels; must fit the NATS server's max_payload",
      schema: integer(1_024, 64 << 20),
      fallback: "4194304",
    },
    maxInFlightBytes: {
      env: "FOOTFALL_INGEST_MAX_IN_FLIGHT_BYTES",
      flag: "max-in-flight-bytes",
      description: "most bytes of one collector that wait for JetStream's ack",
      schema: integer(1_024, 2_147_483_647),
      fallback: "16777216",
    },
    publishTimeoutMs: {
      env: "FOOTFALL_INGEST_PUBLISH_TIMEOUT_MS",
      flag: "publish-timeout-ms",
      description: "how long to wait for JetStream's ack, ms",
      schema: integer(100, 120_000),
      fallback: "5000",
    },
    keyFreshMs: {
      env: "FOOTFALL_INGEST_KEY_FRESH_MS",
      flag: "key-fresh-ms",
      description: "how long a write key is trusted before it is read again, ms",
      schema: integer(0, 86_400_000),
      fallback: "10000",
    },
    replicas: {
      env: "FOOTFALL_STREAM_REPLICAS",
      flag: "stream-replicas",
      description: "replicas of each stream; 3 on a cluster",
      schema: integer(1, 5),
      fallback: "1",
    },
    streamMaxAgeHours: {
      env: "FOOTFALL_STREAM_MAX_AGE_HOURS",
      flag: "stream-max-age-hours",
      description: "how long JetStream keeps batches, hours",
      schema: integer(1, 24 * 365),
      fallback: "168",
    },
    streamMaxBytes: {
      env: "FOOTFALL_STREAM_MAX_BYTES",
      flag: "stream-max-bytes",
      description:
        "most bytes of one partition's stream, which the NATS server sets aside at once; a full one refuses batches; 0: as much as the server has",
      schema: integer(0, Number.MAX_SAFE_INTEGER),
      fallback: "0",
    },
    closeDeadlineMs,
    logLevel,
    failpoints,
    allowFailpoints,
  },
} as const;
