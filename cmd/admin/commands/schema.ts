import { integer } from "../../../internal/config/setting.ts";
import { migrate } from "../../../internal/store/migrate.ts";
import { command } from "../command.ts";

export const SCHEMA_COMMANDS = [
  command({
    name: "migrate",
    description: "Brings the database's schema up to date.",
    example: "--partitions 64",
    settings: {
      partitions: {
        env: "FOOTFALL_PARTITIONS",
        description: "number of partitions, fixed for good at the first run",
        schema: integer(1, 4_096),
        fallback: "64",
      },
    },
    run: async (pool, { partitions }) => ({ applied: await migrate(pool, partitions) }),
    table: ({ applied }) =>
      applied.length === 0 ? "The schema is up to date." : ["Applied:", ...applied].join("\n  "),
  }),
];
