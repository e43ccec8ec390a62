import { flag, optional } from "../../../internal/config/setting.ts";
import { table } from "../../../internal/program/table.ts";
import { repairAggregates } from "../../../internal/store/maintenance/repair.ts";
import {
  type Mismatch,
  verifiableDays,
  verifyAggregates,
} from "../../../internal/store/maintenance/verify.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { command, day } from "../command.ts";

const DAY_MS = 86_400_000;

export const AGGREGATE_COMMANDS = [
  command({
    name: "aggregates verify",
    description:
      "Compares the continuous aggregates with the raw rows. Exit code 1 when they differ and were not repaired.",
    example: "--from 2026-03-01 --to 2026-03-31 --repair",
    settings: {
      from: optional(day("first", "the first with data")),
      to: optional(day("last", "the last with data")),
      repair: flag("compute what differs anew from the raw rows"),
    },
    run: async (pool, { from, to, repair }) => {
      await readInstallation(pool);
      const days = await verifiableDays(pool, from, to);
      const mismatches: Mismatch[] = [];
      for (const start of days) {
        mismatches.push(...(await verifyAggregates(pool, { from: start, to: start + DAY_MS })));
      }
      if (repair) await repairAggregates(pool, mismatches);
      const repaired = repair ? mismatches.length : 0;
      return { ok: repaired === mismatches.length, days: days.length, mismatches, repaired };
    },
    isOk: ({ ok }) => ok,
    table: ({ days, mismatches, repaired }) => {
      const summary = `${days} days compared; buckets that differ: ${mismatches.length}, repaired: ${repaired}.`;
      if (mismatches.length === 0) return summary;
      const rows = mismatches.map(({ aggregate, bucket, rows: wrong }) => [
        aggregate,
        new Date(bucket),
        wrong,
      ]);
      return `${table(["aggregate", "bucket", "rows that differ"], rows)}\n${summary}`;
    },
  }),
];
