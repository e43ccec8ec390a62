import { z } from "zod";
import type { Setting } from "../../../internal/config/setting.ts";
import { Failure } from "../../../internal/failure/failure.ts";
import { table } from "../../../internal/program/table.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { forgetSpool, listSpools } from "../../../internal/store/spool-reports.ts";
import { command } from "../command.ts";

const list = command({
  name: "spools list",
  description:
    "Shows the collectors' spools that are known to hold acknowledged events back, the one with the oldest first.",
  example: "",
  settings: {},
  run: async (pool) => {
    await readInstallation(pool);
    return { spools: await listSpools(pool) };
  },
  table: ({ spools }) =>
    table(
      ["spool", "collector", "events", "partitions", "oldest", "told last"],
      spools.map(({ spoolId, collectorId, events, partitions, oldestTime, reportedTime }) => [
        spoolId,
        collectorId,
        events,
        partitions,
        new Date(oldestTime),
        new Date(reportedTime),
      ]),
    ),
});

const spool: Setting<string> = {
  description: "the spool's id; `spools list` shows them",
  schema: z.guid("is no id such as 0190a3c2-5f00-7000-8000-000000000000"),
};

const forget = command({
  name: "spools forget",
  description:
    "Forgets a spool that is gone for good with its host or disk: reports no longer wait for its events, which are lost. One that is there tells of itself again.",
  example: "--spool 0190a3c2-5f00-7000-8000-000000000000",
  settings: { spool },
  run: async (pool, { spool: spoolId }) => {
    await readInstallation(pool);
    if (!(await forgetSpool(pool, spoolId))) throw new Failure("not_found", `spool ${spoolId}: is not known`);
    return { spoolId, isForgotten: true };
  },
  table: ({ spoolId }) => `Spool ${spoolId} is forgotten.`,
});

/** Commands about what collectors hold back. */
export const SPOOL_COMMANDS = [list, forget];
