import { runProgram } from "../../internal/lifecycle/run-program.ts";
import { simulate } from "../../internal/simulate/run.ts";
import { readSimulateConfig } from "../../internal/simulate/settings.ts";

const watched = process.stderr.isTTY;

await runProgram(
  async (life) => {
    const config = await readSimulateConfig(process.argv.slice(2), process.env);
    const work = simulate(config, life, {
      result: (text) => process.stdout.write(`${text}\n`),
      ...(watched && { progress: (text: string) => process.stderr.write(`\r\x1b[K${text}`) }),
    });
    let ended = false;
    // After a signal the exit code is the runner's: then an unanswered event makes the closing fail.
    life.onClose("events under way", async () => {
      if (!ended && (await work) !== 0) throw new Error("events stayed unanswered");
    });
    const exitCode = await work;
    ended = true;
    if (watched) process.stderr.write("\n");
    life.stop("all is sent", exitCode);
  },
  // A drain may last as long as the last request is retried.
  { closeDeadlineMs: 24 * 3_600_000 },
);
