import { z } from "zod";
import { address, choice, integer, optionalText, withVariables } from "../setting.ts";
import {
  allowFailpoints,
  closeDeadlineMs,
  databaseUrl,
  drainGraceMs,
  failpoints,
  host,
  logLevel,
  maxConnectionAgeMs,
  natsSettings,
  opsHost,
  opsPort,
  opsTlsSettings,
  portLimits,
  servicePort,
  streamSettings,
  tlsSettings,
  unreadyAfterMs,
} from "./shared.ts";

export const ingest = {
  name: "ingest",
  description:
    "Takes batches from collectors over gRPC, checks them and acks each after JetStream's own ack.",
  settings: withVariables("FOOTFALL_INGEST", {
    host,
    port: servicePort(4318),
    opsHost,
    opsPort: opsPort(9318),
    ...opsTlsSettings,
    ...tlsSettings,
    maxConnectionAgeMs,
    tlsClientCaFile: {
      description:
        "file of the authority of collectors' certificates, PEM; where given, a collector without one is refused",
      schema: optionalText(),
      fallback: "",
    },
    databaseUrl,
    ...natsSettings,
    tokens: {
      description: "tokens that collectors may show, parted by commas",
      schema: z
        .string()
        .transform((value) => value.split(",").filter((token) => token !== ""))
        .pipe(z.array(z.string()).min(1, "names no token")),
      secret: true,
    },
    maxBatchBytes: {
      description: "largest batch as it travels; must fit the NATS server's max_payload",
      schema: integer(1_024, 64 << 20),
      fallback: "4194304",
    },
    maxInFlightBytes: {
      description: "most bytes of one collector that wait for JetStream's ack",
      schema: integer(1_024, 2_147_483_647),
      fallback: "16777216",
    },
    publishTimeoutMs: {
      description: "how long to wait for JetStream's ack, ms",
      schema: integer(100, 120_000),
      fallback: "5000",
    },
    keyFreshMs: {
      description: "how long a write key is trusted before it is read again, ms",
      schema: integer(0, 86_400_000),
      fallback: "10000",
    },
    ...streamSettings,
    ...withVariables("FOOTFALL", {
      durability: {
        flag: "stream-durability",
        description:
          "strict: do not start unless the NATS servers can keep every acked batch (docs/jetstream.md has the list of checks); relaxed: warn of what is found",
        schema: choice(["strict", "relaxed"]),
        fallback: "relaxed",
      },
      natsMonitorUrls: {
        flag: "nats-monitor-url",
        description:
          "monitoring endpoints of all NATS servers, as http://host:8222, parted by commas; asked once, at the start",
        schema: z
          .string()
          .transform((value) => value.split(",").filter((url) => url !== ""))
          .pipe(z.array(address("http", "https"))),
        fallback: "",
      },
    }),
    ...portLimits,
    drainGraceMs,
    unreadyAfterMs,
    closeDeadlineMs,
    logLevel,
    failpoints,
    allowFailpoints,
  }),
} as const;
