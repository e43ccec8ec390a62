import { integer, member, optionalDate, optionalText, yesNo } from "../setting.ts";
import { s3 } from "./s3.ts";
import { databaseUrl, natsUrl, streamSettings } from "./shared.ts";

export const admin = {
  name: "admin",
  description:
    "Administration. `admin migrate` brings the schema up to date; `admin create-merchant --name NAME` prints a merchant's write key and read key, which cannot be seen again; `admin list-merchants`; `admin load-rates --file FILE` loads currency rates; `admin storage` shows what each table and chunk takes on disk, and with `--chunk-days N` sets how long new chunks are; `admin verify --from DAY --to DAY --repair` compares the continuous aggregates with the raw rows, and ends with exit code 1 when they differ and were not repaired; `admin streams` shows the streams and how they differ from what is promised, and with `--apply` creates and changes them; `admin verify-archive` reads the archive's objects again and compares them with the ledger.",
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
    truncateIp: {
      env: "FOOTFALL_ADMIN_TRUNCATE_IP",
      flag: "truncate-ip",
      description:
        "create-merchant: whether collectors truncate visitors' addresses to /24 and /48 before they store or send them: true or false",
      schema: yesNo(),
      fallback: "true",
    },
    file: {
      env: "FOOTFALL_ADMIN_FILE",
      flag: "file",
      description: "load-rates: CSV file of units a euro, in the form of the ECB's eurofxref-hist.csv",
      schema: optionalText(),
      fallback: "",
    },
    from: {
      env: "FOOTFALL_ADMIN_FROM",
      flag: "from",
      description: "verify, verify-archive: first UTC day, as YYYY-MM-DD; absent: the first with data",
      schema: optionalDate(),
      fallback: "",
    },
    to: {
      env: "FOOTFALL_ADMIN_TO",
      flag: "to",
      description: "verify, verify-archive: last UTC day, as YYYY-MM-DD; absent: the last with data",
      schema: optionalDate(),
      fallback: "",
    },
    repair: {
      env: "FOOTFALL_ADMIN_REPAIR",
      flag: "repair",
      description: "verify: compute what differs anew from the raw rows: true or false",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    chunkDays: {
      env: "FOOTFALL_ADMIN_CHUNK_DAYS",
      flag: "chunk-days",
      description:
        "storage: days of event time that new chunks of events and items span from now on, see docs/storage.md; 0: as it is",
      schema: integer(0, 366),
      fallback: "0",
    },
    natsUrl,
    ...streamSettings,
    apply: {
      env: "FOOTFALL_ADMIN_APPLY",
      flag: "apply",
      description: "streams: create what is missing and change what differs from the settings",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    ...s3,
    s3Bucket: { ...s3.s3Bucket, schema: optionalText(), fallback: "" },
  },
} as const;
