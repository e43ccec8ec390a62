import { natsAddress } from "../nats-address.ts";
import { integer, optionalText, port, text, withVariables, yesNo } from "../setting.ts";
import { logLevel } from "./shared.ts";

/** Addresses of servers that are used instead of the embedded ones. */
export const outside = {
  databaseUrl: {
    env: "DATABASE_URL",
    description: "use this TimescaleDB instead of the embedded one",
    schema: optionalText(),
    fallback: "",
    secret: true,
  },
  natsUrl: {
    env: "NATS_URL",
    description: "use this NATS instead of starting nats-server",
    schema: optionalText().pipe(natsAddress().optional()),
    fallback: "",
    secret: true,
  },
} as const;

export const standalone = {
  name: "standalone",
  description:
    "A whole Footfall on one machine: starts nats-server, TimescaleDB and all programs, and starts again what dies. Ctrl-C stops everything.",
  settings: withVariables("FOOTFALL", {
    ...outside,
    dataDir: {
      description: "folder of what the embedded parts store",
      schema: text(),
      fallback: ".footfall",
    },
    partitions: {
      description: "number of partitions, fixed for good at the first start",
      schema: integer(1, 4_096),
      fallback: "4",
    },
    archive: {
      description: "keep an archive too: starts an S3 endpoint, whose objects are files, and the archiver",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    collectorPort: {
      description: "port of CollectService; 0 for any free one",
      schema: port(),
      fallback: "4317",
    },
    queryPort: {
      description: "port of QueryService; 0 for any free one",
      schema: port(),
      fallback: "4320",
    },
    logLevel,
  }),
} as const;
