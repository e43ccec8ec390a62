import { demo } from "../../internal/config/programs/demo.ts";
import { isEqual } from "../../internal/demo/accounting.ts";
import { loadDemo } from "../../internal/demo/load.ts";
import { DEMO_ENV } from "../../internal/demo/patience.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { runProgram } from "../../internal/lifecycle/run-program.ts";
import { configOrExit } from "../../internal/program/config-or-exit.ts";
import { startInstallation } from "../../internal/standalone/installation.ts";

const config = configOrExit(demo);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

await runProgram(
  async (life) => {
    const runDemo = await loadDemo();
    const folder = await temporaryDirectory("demo");
    life.onClose("folder", () => folder.remove());
    const installation = await startInstallation({
      ...config,
      databaseUrl: config.databaseUrl(),
      natsUrl: config.natsUrl(),
      dataDir: folder.path,
      partitions: 4,
      env: DEMO_ENV,
      events: {
        started: (name, ms) => say(`${name} started in ${Math.round(ms)} ms`),
        died: (name) => say(`${name} died, starting it again`),
      },
    });
    life.onClose("installation", () => installation.stop());
    const accounting = await runDemo(installation, { ...config, signal: life.stopping, print });
    const problem = isEqual(accounting) ? undefined : "the accounting is not equal";
    if (problem !== undefined) say(problem);
    if (!config.exit) return say("Footfall goes on running; Ctrl-C stops it");
    if (config.json) life.onClose("result", () => print(JSON.stringify(accounting)));
    life.stop(problem ?? "shown", problem === undefined ? 0 : 1);
  },
  { closeDeadlineMs: 60_000 },
);
