import { integer } from "../../../internal/config/setting.ts";
import { table } from "../../../internal/program/table.ts";
import { chunkDays, setChunkDays } from "../../../internal/store/maintenance/chunk-interval.ts";
import { chunkSizes, tableSizes } from "../../../internal/store/maintenance/sizes.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { command } from "../command.ts";

const show = command({
  name: "storage show",
  description:
    "Shows what each table and each chunk of raw rows takes on disk, and what an event takes in all of them together.",
  example: "",
  settings: {},
  run: async (pool) => {
    await readInstallation(pool);
    const tables = await tableSizes(pool);
    const events = tables.find(({ table }) => table === "events")?.rows ?? 0;
    const bytes = tables.reduce((sum, one) => sum + one.bytes, 0);
    const bytesPerEvent = events === 0 ? 0 : Number((bytes / events).toFixed(1));
    return {
      tables,
      events,
      bytes,
      bytesPerEvent,
      chunkDays: await chunkDays(pool),
      chunks: await chunkSizes(pool),
    };
  },
  table: ({ tables, events, bytes, bytesPerEvent, chunkDays: days, chunks }) =>
    [
      table(
        ["table", "chunks", "in the columnstore", "rows, about", "bytes", "of indexes", "oldest"],
        tables.map((one) => [
          one.table,
          one.chunks,
          one.converted,
          one.rows,
          one.bytes,
          one.indexBytes,
          one.oldest,
        ]),
      ),
      table(
        ["chunk of", "from", "to", "bytes", "in the columnstore"],
        chunks.map(({ table: of, from, to, bytes: size, isConverted }) => [of, from, to, size, isConverted]),
      ),
      `${bytes.toLocaleString("en")} bytes, about ${events.toLocaleString("en")} events, ${bytesPerEvent} bytes an event; new chunks span ${days} days.`,
    ].join("\n"),
});

const setDays = command({
  name: "storage set-chunk-days",
  description:
    "Sets how many days of event time chunks of events and items span that are made from now on, those of event keys four times as many; docs/storage.md says what is right.",
  example: "--days 2",
  settings: { days: { description: "days of event time", schema: integer(1, 366) } },
  run: async (pool, { days }) => {
    await readInstallation(pool);
    await setChunkDays(pool, days);
    return { chunkDays: await chunkDays(pool) };
  },
  table: ({ chunkDays: days }) => `New chunks span ${days} days.`,
});

export const STORAGE_COMMANDS = [show, setDays];
