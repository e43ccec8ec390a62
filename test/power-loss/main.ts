import { powerLoss } from "../../internal/config/programs/power-loss.ts";
import { runProgram } from "../../internal/lifecycle/run-program.ts";
import { configOrExit } from "../../internal/program/config-or-exit.ts";
import type { Round } from "./rounds.ts";
import { isAsPromised, missingFor, runPowerLoss } from "./run.ts";

const config = configOrExit(powerLoss);
const { part, writtenBackPercent } = config;

const missing = await missingFor(part);
if (missing !== undefined) {
  process.stderr.write(`skipped, ${part}: ${missing}\n`);
  process.exit(0);
}

const tell = ({ number, acked, lost, doubled }: Round): void =>
  void process.stderr.write(`cut ${number}: acked ${acked}, lost ${lost}, doubled ${doubled}\n`);

await runProgram(
  async (life) => {
    const options = { writtenBack: writtenBackPercent / 100, signal: life.stopping, onRound: tell };
    const rounds = await runPowerLoss({ ...config, ...options });
    const sum = (key: "acked" | "lost" | "doubled") => rounds.reduce((total, round) => total + round[key], 0);
    process.stdout.write(
      `${part}: ${rounds.length} cuts, acked ${sum("acked")}, lost ${sum("lost")}, doubled ${sum("doubled")}\n`,
    );
    life.stop("done", isAsPromised(part, rounds) ? 0 : 1);
  },
  { closeDeadlineMs: 60_000 },
);
