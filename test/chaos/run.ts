import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import type { Life } from "../../internal/lifecycle/run-program.ts";
import { Campaign } from "./campaign.ts";
import type { Problem } from "./problem.ts";
import { problemLines, type Result, roundText, summarise } from "./result.ts";
import { System } from "./system.ts";

export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Run this round alone; 0 for all. */
  readonly onlyRound: number;
  readonly rate: number;
  /** Gets the logs of all parts; absent: they are kept in a temporary folder, and only when a round fails. */
  readonly logsDir: string | undefined;
  /** Prints a line of progress. */
  readonly say: (text: string) => void;
}

/** Starts an installation, runs the rounds, and ends it. @returns the result; a signal makes it end early. */
export async function runChaos(
  life: Pick<Life, "stopping" | "onClose">,
  options: ChaosOptions,
): Promise<Result> {
  const { say, seed, onlyRound } = options;
  const folder = await temporaryDirectory("chaos");
  life.onClose("folder", () => folder.remove());
  const onDeath = (part: string, code: number | null) =>
    say(`  ${part} died by itself (${code ?? "signal"})`);
  const logDir = options.logsDir ?? join(folder.path, "logs");
  const system = await System.create({ dataDir: folder.path, logDir, onDeath });
  life.onClose("system", () => system.close());
  await system.start();
  const campaign = new Campaign(system, { ...options, signal: life.stopping });
  const numbers = onlyRound > 0 ? [onlyRound] : Array.from({ length: options.rounds }, (_, i) => i + 1);
  const problems: Problem[] = [];
  let rounds = 0;
  for (const number of numbers) {
    const result = await campaign.run(number);
    rounds++;
    say(roundText(result));
    if (result.problems.length === 0) continue;
    problems.push(...result.problems);
    say(`  again: --seed ${seed} --only-round ${number}; logs: ${await keepLogs(system, number, options)}`);
    if (result.problems.some(({ kind }) => kind === "stuck")) break;
  }
  const end = await campaign.finish();
  for (const line of problemLines(end.problems)) say(line);
  problems.push(...end.problems);
  return summarise({ rounds, acked: campaign.ledger.acked, stored: end.stored }, problems);
}

/** @returns a folder with the logs and metrics of all parts that outlives this program. */
async function keepLogs(system: System, round: number, { seed, logsDir }: ChaosOptions): Promise<string> {
  await system.keepMetrics();
  if (logsDir !== undefined) return logsDir;
  const folder = await mkdtemp(join(tmpdir(), `footfall-chaos-seed-${seed}-round-${round}-`));
  await cp(system.logDir, folder, { recursive: true });
  return folder;
}

/** Whether nothing was found that must never be. */
export function isClean(result: Result): boolean {
  const { lost, duplicated, report_mismatches, other_problems } = result;
  return lost + duplicated + report_mismatches + other_problems === 0;
}
