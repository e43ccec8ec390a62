import { z } from "zod";
import { integer, optionalText, yesNo } from "../setting.ts";
import { databaseUrl, natsUrl } from "./shared.ts";

/** A time with its zone, or a UTC day; ms since 1970-01-01 UTC. */
const time = () =>
  z
    .string()
    .regex(
      /^(|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)$/,
      "is neither a day such as 2026-03-01 nor a time such as 2026-03-01T10:00:00Z",
    )
    .transform((value) => (value === "" ? undefined : Date.parse(value)))
    .refine((value) => !Number.isNaN(value), "is no time of the calendar");

/** Numbers and ranges, such as 3,7-9; as pairs of first and last. */
const ranges = () =>
  z
    .string()
    .regex(/^(|\d+(-\d+)?(,\d+(-\d+)?)*)$/, "is no list such as 3,7-9")
    .transform((value) => {
      if (value === "") return undefined;
      return value.split(",").map((part) => {
        const [first, last = first] = part.split("-").map(Number);
        return [first!, last!] as const;
      });
    });

export const replay = {
  name: "replay",
  description:
    "Processing again. `replay rejected list` counts the refused batches, `replay rejected show --seq N` shows one, `replay rejected redrive` sends those that pass the check now to their partitions again; each takes only what all given filters mean.",
  settings: {
    databaseUrl,
    natsUrl,
    reason: {
      env: "FOOTFALL_REPLAY_REASON",
      flag: "reason",
      description: "only batches refused for these reasons, such as PROCESSING_FAILED; parted by commas",
      schema: optionalText(),
      fallback: "",
    },
    merchant: {
      env: "FOOTFALL_REPLAY_MERCHANT",
      flag: "merchant",
      description:
        "only batches with an event of this merchant; other merchants' events in them go along; 0: all",
      schema: integer(0, 2_147_483_647),
      fallback: "0",
    },
    from: {
      env: "FOOTFALL_REPLAY_FROM",
      flag: "from",
      description:
        "only batches refused at this time or later, such as 2026-03-01 (UTC) or 2026-03-01T10:00:00Z",
      schema: time(),
      fallback: "",
    },
    to: {
      env: "FOOTFALL_REPLAY_TO",
      flag: "to",
      description: "only batches refused before this time",
      schema: time(),
      fallback: "",
    },
    partition: {
      env: "FOOTFALL_REPLAY_PARTITION",
      flag: "partition",
      description: "only batches of this partition",
      schema: z
        .string()
        .regex(/^\d*$/, "is not a whole number")
        .transform((value) => (value === "" ? undefined : Number(value))),
      fallback: "",
    },
    seq: {
      env: "FOOTFALL_REPLAY_SEQ",
      flag: "seq",
      description: "only these sequences of the stream REJECTED, such as 3,7-9; show: the one to show",
      schema: ranges(),
      fallback: "",
    },
    limit: {
      env: "FOOTFALL_REPLAY_LIMIT",
      flag: "limit",
      description: "list: most batches that get a line of their own; show: most events that are decoded",
      schema: integer(0, 100_000),
      fallback: "20",
    },
    dryRun: {
      env: "FOOTFALL_REPLAY_DRY_RUN",
      flag: "dry-run",
      description: "redrive: count the batches and events that would go, and change nothing",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    json: {
      env: "FOOTFALL_REPLAY_JSON",
      flag: "json",
      description: "print the result as one JSON object in one line",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
  },
} as const;
