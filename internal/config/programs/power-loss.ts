import { choice, integer, optional, withVariables } from "../setting.ts";

export const powerLoss = {
  name: "power-loss",
  description:
    "Runs a part under load on a file system that forgets what was not fsynced, cuts its power round by round, and compares what was acked with what is there. Linux, as root.",
  settings: withVariables("FOOTFALL_POWER_LOSS", {
    part: {
      description:
        "spool (of the collector), nats (sync_interval: always), postgres, or nats-default (the control: it must lose something)",
      schema: choice(["spool", "nats", "postgres", "nats-default"]),
      fallback: "spool",
    },
    rounds: {
      description: "how many cuts",
      schema: integer(1, 1_000_000),
      fallback: "20",
    },
    seed: {
      description: "same seed, same moments of the cuts",
      schema: integer(0, 2 ** 32),
      fallback: "1",
    },
    names: optional({
      description:
        "when a new name is durable: journal (with the next fsync of any file, as ext4 and XFS do it) or strict (with the fsync of its folder); default: journal for nats, else strict",
      schema: choice(["journal", "strict"]),
    }),
    writtenBackPercent: {
      description:
        "share of the writes that are durable without an fsync, as a kernel may do it in any order",
      schema: integer(0, 100),
      fallback: "0",
    },
  }),
} as const;
