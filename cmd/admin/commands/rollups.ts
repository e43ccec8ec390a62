import { partitionOf } from "../../../internal/event/partition.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { backfillRollups } from "../../../internal/store/rollups-backfill.ts";
import { command, day, merchant } from "../command.ts";

export const ROLLUP_COMMANDS = [
  command({
    name: "rollups backfill",
    description:
      "Gives a merchant rollups from a day of the past on. It takes two minutes and more, an aggregator must be running; it may be interrupted and run again.",
    example: "--merchant 1 --from 2026-01-01",
    settings: { merchant, from: day("first") },
    run: async (pool, { merchant: merchantId, from }) => {
      const { partitions } = await readInstallation(pool);
      const partition = partitionOf(merchantId, partitions);
      // What it waits for is told on standard error.
      const tell = (line: string) => void process.stderr.write(`${line}\n`);
      const backfill = { merchantId, partition, from: Date.parse(from) };
      const { marked, readyFrom } = await backfillRollups(pool, backfill, { tell });
      return { merchantId, marked, readyFrom: new Date(readyFrom).toISOString() };
    },
    table: ({ merchantId, marked, readyFrom }) =>
      `Merchant ${merchantId} has rollups from ${readyFrom.slice(0, 10)} on; marked for their refresh: ${marked}.`,
  }),
];
