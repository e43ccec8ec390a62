import { z } from "zod";
import { CURRENCY_CODES } from "../../currency/currencies.ts";
import { integer, member, optionalDate, optionalText, yesNo } from "../setting.ts";
import { goalSettings } from "./goal-settings.ts";
import { s3 } from "./s3.ts";
import { databaseUrl, natsUrl, streamSettings } from "./shared.ts";

/** A 64-bit integer, signed as a bigint column has it; empty stands for "not given". */
const bigint64 = () =>
  z
    .string()
    .regex(/^(|-?\d{1,19})$/, "is not a whole number of 64 bits")
    .transform((value) => (value === "" ? undefined : BigInt(value)))
    .refine(
      (value) => value === undefined || value === BigInt.asIntN(64, value),
      "is not a whole number of 64 bits",
    );

export const admin = {
  name: "admin",
  description: [
    "Administration.",
    "`admin migrate` brings the schema up to date;",
    "`admin create-merchant --name NAME` prints a merchant's write key and read key, which cannot be seen again;",
    "`admin list-merchants`;",
    "`admin load-rates --file FILE` loads currency rates;",
    "`admin storage` shows what each table and chunk takes on disk, and with `--chunk-days N` sets how many days of event time new chunks of events and items span;",
    "`admin verify --from DAY --to DAY --repair` compares the continuous aggregates with the raw rows, and ends with exit code 1 when they differ and were not repaired;",
    "`admin streams` shows the streams and how they differ from what is promised, and with `--apply` creates and changes them;",
    "`admin verify-archive` reads the archive's objects again and compares them with the ledger;",
    "`admin erase --merchant M` with `--visitor ID`, `--visitor-hash HASH` or `--whole-merchant` erases a visitor or a merchant and prints the receipt, with `--dry-run` counts what it would remove;",
    "`admin erasures` lists the receipts;",
    "`admin erase-archive` rewrites the archive's objects without what was erased;",
    "`admin goal add --merchant ID --name NAME --event-name NAME --page-pattern PATTERN --value AMOUNT`, `admin goal list --merchant ID` and `admin goal remove --merchant ID --goal ID` keep a merchant's goals;",
    "`admin rollups --merchant ID --from DAY` gives a merchant rollups from a day of the past on, which takes two minutes and more (an aggregator must be running), and may be interrupted and run again.",
  ].join(" "),
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
      description: "create-merchant, goal add: name of the merchant, of the goal",
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
      schema: member("an ISO 4217 code", CURRENCY_CODES),
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
    ...goalSettings,
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
      description:
        "verify, verify-archive, rollups: first UTC day, as YYYY-MM-DD; absent: the first with data (rollups: required)",
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
    merchant: {
      env: "FOOTFALL_ADMIN_MERCHANT",
      flag: "merchant",
      description:
        "goal, erase, rollups: the merchant; erasures: only those of this merchant; 0: all, or not given",
      schema: integer(0, 2_147_483_647),
      fallback: "0",
    },
    visitor: {
      env: "FOOTFALL_ADMIN_VISITOR",
      flag: "visitor",
      description: "erase: the visitor id that the SDK sent",
      schema: optionalText(),
      fallback: "",
    },
    visitorHash: {
      env: "FOOTFALL_ADMIN_VISITOR_HASH",
      flag: "visitor-hash",
      description: "erase: the visitor's hash, as the column visitor_id has it; --visitor-hash=-7 if below 0",
      schema: bigint64(),
      fallback: "",
    },
    wholeMerchant: {
      env: "FOOTFALL_ADMIN_WHOLE_MERCHANT",
      flag: "whole-merchant",
      description: "erase: the merchant and all that it has: true or false",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    dryRun: {
      env: "FOOTFALL_ADMIN_DRY_RUN",
      flag: "dry-run",
      description: "erase: count what would be removed, and change nothing",
      schema: yesNo(),
      fallback: "false",
      isSwitch: true,
    },
    refreshWaitMs: {
      env: "FOOTFALL_ADMIN_REFRESH_WAIT_MS",
      flag: "refresh-wait-ms",
      description:
        "erase: how long the aggregator has to refresh the quarter hours that lost events, before the command does it itself, ms",
      schema: integer(0, 86_400_000),
      fallback: "15000",
    },
    chunkDays: {
      env: "FOOTFALL_ADMIN_CHUNK_DAYS",
      flag: "chunk-days",
      description:
        "storage: days of event time that new chunks of events and items span from now on, those of event keys four times as many; see docs/storage.md; 0: as it is",
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
