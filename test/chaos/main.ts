import { chaos } from "../../internal/config/programs/chaos.ts";
import { runProgram } from "../../internal/lifecycle/run-program.ts";
import { configOrExit } from "../../internal/program/config-or-exit.ts";
import { isClean, runChaos } from "./run.ts";

const config = configOrExit(chaos);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

await runProgram(
  async (life) => {
    const result = await runChaos(life, { ...config, say });
    const { rounds, acked, stored, lost, duplicated, report_mismatches } = result;
    const text = config.json
      ? JSON.stringify(result)
      : `${rounds} rounds: acked ${acked}, stored ${stored}, lost ${lost}, duplicated ${duplicated}, report mismatches ${report_mismatches}`;
    process.stdout.write(`${text}\n`);
    life.stop("done", isClean(result) ? 0 : 1);
  },
  { closeDeadlineMs: 60_000 },
);
