import { z } from "zod";
import { ConfigError } from "../../internal/config/config-error.ts";
import { type ConfigOf, integer, optional, type Setting, text } from "../../internal/config/setting.ts";
import { BatchRejectReason } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";
import type { DeadLetterFilter } from "../../internal/replay/select.ts";

/** A time with its zone, or a UTC day; ms since 1970-01-01 UTC. */
const time = (description: string): Setting<number> => ({
  description,
  schema: z
    .string()
    .regex(
      /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/,
      "is neither a day such as 2026-03-01 nor a time such as 2026-03-01T10:00:00Z",
    )
    .transform((value) => Date.parse(value))
    .refine((value) => !Number.isNaN(value), "is no time of the calendar"),
});

/** Numbers and ranges, such as 3,7-9; as pairs of first and last. */
const ranges = z
  .string()
  .regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, "is no list such as 3,7-9")
  .transform((value) =>
    value.split(",").map((part) => {
      const [first, last = first] = part.split("-").map(Number);
      return [first!, last!] as const;
    }),
  );

const reason: Setting<string> = {
  description: "only batches refused for these reasons, such as PROCESSING_FAILED; parted by commas",
  schema: text(),
};
const merchant: Setting<number> = {
  description: "only batches with an event of this merchant; other merchants' events in them go along",
  schema: integer(1, 2_147_483_647),
};
const partition: Setting<number> = {
  description: "only batches of this partition",
  schema: integer(0, 4_095),
};
const seq: Setting<readonly (readonly [number, number])[]> = {
  description: "only these sequences of the stream DEAD_LETTER, such as 3,7-9",
  schema: ranges,
};

/** Which refused batches are meant: those that all given filters mean. */
export const filterSettings = {
  reason: optional(reason),
  merchant: optional(merchant),
  from: optional(
    time("only batches refused at this time or later, such as 2026-03-01 (UTC) or 2026-03-01T10:00:00Z"),
  ),
  to: optional(time("only batches refused before this time")),
  partition: optional(partition),
  seq: optional(seq),
};

/** @throws ConfigError for a reason that there is not. */
export function filterOf(config: ConfigOf<typeof filterSettings>): DeadLetterFilter {
  const { reason: given, merchant: merchantId, from, to, partition: number, seq: seqs } = config;
  const reasons = given === undefined ? undefined : new Set(given.split(","));
  for (const name of reasons ?? []) {
    if (Object.hasOwn(BatchRejectReason, name) && !/^\d/.test(name)) continue;
    const known = Object.keys(BatchRejectReason).filter((key) => !/^\d|^UNSPECIFIED$/.test(key));
    throw new ConfigError(`--reason: ${JSON.stringify(name)} is none of ${known.join(", ")}`);
  }
  return { reasons, merchant: merchantId, from, to, partition: number, seqs };
}
