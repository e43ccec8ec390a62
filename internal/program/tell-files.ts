import type { Files } from "../config/changing-file.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Gauge, type Registry } from "../telemetry/metrics.ts";

/** Says in the log and by a metric how the files fare that a program reads anew when they change. */
export function tellFiles(files: Files, log: Logger, registry: Registry): void {
  files.onChange = (file, problem) => {
    if (problem === undefined) log.info({ file }, "file read anew");
    else log.error({ file, problem }, "file cannot be used: its former content goes on being used");
  };
  new Gauge({
    name: "footfall_file_broken",
    help: "1 for a file (secret, certificate) whose present content cannot be used, so that the former one is",
    labelNames: ["file"],
    registers: [registry],
    collect() {
      for (const { path, problem } of files.look()) this.set({ file: path }, problem === undefined ? 0 : 1);
    },
  });
}
