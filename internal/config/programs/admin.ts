import { z } from "zod";
import { integer, member, optionalText, type Setting } from "../setting.ts";
import { s3 } from "./s3.ts";
import { databaseUrl } from "./shared.ts";

/** A day of the archive. */
const day = (which: "from" | "to", meaning: string): Setting<string | undefined> => ({
  env: `FOOTFALL_ADMIN_${which.toUpperCase()}`,
  flag: which,
  description: `verify-archive: ${meaning} UTC day of storing, as 2026-11-23; none for all`,
  schema: z
    .string()
    .regex(/^(\d{4}-\d{2}-\d{2})?$/, "is not a day such as 2026-11-23")
    .transform((value) => (value === "" ? undefined : value)),
  fallback: "",
});

export const admin = {
  name: "admin",
  description:
    "Administration. `admin migrate` brings the schema up to date; `admin create-merchant --name NAME` prints a merchant's write key and read key, which cannot be seen again; `admin list-merchants`. `admin verify-archive` reads the archive's objects again and compares them with the ledger.",
  settings: {
    databaseUrl,
    partitions: {
      env: "FOOTFALL_PARTITIONS",
      flag: "partitions",
      description: "migrate: the number of partitions, fixed for good at the first run",
      schema: integer(1, 4_096),
      fallback: "64",
    },
    name: {
      env: "FOOTFALL_ADMIN_NAME",
      flag: "name",
      description: "create-merchant: name of the merchant",
      schema: optionalText(),
      fallback: "",
    },
    timeZone: {
      env: "FOOTFALL_ADMIN_TIME_ZONE",
      flag: "time-zone",
      description: "create-merchant: IANA name of the time zone in which its days begin",
      schema: member("an IANA time zone", ["UTC", ...Intl.supportedValuesOf("timeZone")]),
      fallback: "UTC",
    },
    currency: {
      env: "FOOTFALL_ADMIN_CURRENCY",
      flag: "currency",
      description: "create-merchant: ISO 4217 code of its reports' currency",
      schema: member("an ISO 4217 code", Intl.supportedValuesOf("currency")),
      fallback: "USD",
    },
    retentionDays: {
      env: "FOOTFALL_ADMIN_RETENTION_DAYS",
      flag: "retention-days",
      description: "create-merchant: days of event time that are kept; older events are refused",
      schema: integer(1, 7_300),
      fallback: "760",
    },
    from: day("from", "first"),
    to: day("to", "last"),
    ...s3,
    s3Bucket: { ...s3.s3Bucket, schema: optionalText(), fallback: "" },
  },
} as const;
