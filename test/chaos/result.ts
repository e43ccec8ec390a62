import type { RoundResult } from "./campaign.ts";
import { describeFault } from "./planner.ts";
import { describeProblem, type Problem } from "./problem.ts";

/** What chaos prints with --json. */
export interface Result {
  readonly rounds: number;
  /** Events that were acked. */
  readonly acked: number;
  /** Raw rows. */
  readonly stored: number;
  /** Events that were acked and are not stored as they were sent. */
  readonly lost: number;
  readonly duplicated: number;
  readonly report_mismatches: number;
  /** Whatever else must not be: rows that nobody sent, refusals, parts that did not recover. */
  readonly other_problems: number;
}

/** Counts what was found, each event and each metric of a merchant once. */
export function summarise(
  totals: { readonly rounds: number; readonly acked: number; readonly stored: number },
  problems: readonly Problem[],
): Result {
  const distinct = new Map(problems.map((problem) => [keyOf(problem), problem.kind]));
  const count = (...kinds: Problem["kind"][]) =>
    [...distinct.values()].filter((kind) => kinds.includes(kind)).length;
  const [lost, duplicated, report_mismatches] = [count("lost"), count("duplicated"), count("report")];
  const other_problems = distinct.size - lost - duplicated - report_mismatches;
  return { ...totals, lost, duplicated, report_mismatches, other_problems };
}

function keyOf({ kind, merchantId, eventId, message }: Problem): string {
  return [kind, merchantId, eventId ?? message].join(" ");
}

/** Problems of a round that are shown. */
const SHOWN = 20;

/** A round in one line, and a line for each of its first problems. */
export function roundText({ round, faults, acked, seconds, problems }: RoundResult): string {
  const plan = faults.map(describeFault).join("; ");
  const verdict = problems.length === 0 ? "" : `  ${problems.length} PROBLEMS`;
  const line = `round ${round}  ${plan}  acked ${acked}  ${seconds.toFixed(1)} s${verdict}`;
  return [line, ...problemLines(problems)].join("\n");
}

export function problemLines(problems: readonly Problem[]): string[] {
  const lines = problems.slice(0, SHOWN).map((problem) => `  ${describeProblem(problem)}`);
  if (problems.length > SHOWN) lines.push(`  ... and ${problems.length - SHOWN} more`);
  return lines;
}
