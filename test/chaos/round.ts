import { setTimeout as sleep } from "node:timers/promises";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import type { AckLedger } from "./ack-ledger.ts";
import { compareReport } from "./compare.ts";
import type { Hostile } from "./hostile/sent.ts";
import { Load } from "./load.ts";
import type { Past } from "./past.ts";
import type { Fault } from "./planner.ts";
import type { Problem } from "./problem.ts";
import type { Reports } from "./reports.ts";
import { compareStored, workedOff } from "./settle.ts";
import { readGaps } from "./stored.ts";
import { strike } from "./strike.ts";
import type { System } from "./system.ts";

export interface RoundOptions {
  readonly system: System;
  readonly reports: Reports;
  readonly ledger: AckLedger;
  readonly past: Past;
  readonly seed: number;
  readonly round: number;
  readonly faults: readonly Fault[];
  readonly merchants: readonly CreatedMerchant[];
  readonly revisited: readonly CreatedMerchant[];
  readonly rate: number;
  readonly hostile: Hostile;
  /** Ends the round before its time. */
  readonly signal: AbortSignal;
}

/** How long SDKs may go on sending again, aggregators catch up, and a report take to answer; ms. */
const PATIENCE_MS = 60_000;

/** Load before the first fault may begin, and after everything is back; ms. */
const CALM_MS = 200;

/**
 * One round: load, its faults, recovery, drain, and the comparison of what was acked with the raw rows and the
 * reports of the merchants that it touched. @returns what must never be.
 */
export async function runRound(options: RoundOptions): Promise<Problem[]> {
  const { system, faults, signal } = options;
  const load = new Load(options);
  const giveUp = () => load.giveUp();
  signal.addEventListener("abort", giveUp);
  try {
    await sleep(CALM_MS, undefined, { signal });
    await Promise.all(faults.map((fault) => strike(system, fault, signal)));
    const dead = await system.recover();
    if (dead.length > 0) return dead.map((message) => ({ kind: "stuck", message }));
    await sleep(CALM_MS, undefined, { signal });
    const isDrained = await load.drained(PATIENCE_MS);
    signal.throwIfAborted();
    const unanswered = isDrained ? [] : findUnanswered(options);
    const crashed = system.crashed.splice(0).map((part) => ({ kind: "crashed", message: part }) as const);
    return [...load.wrongAnswers, ...crashed, ...unanswered, ...(await compare(options))];
  } finally {
    giveUp();
    signal.removeEventListener("abort", giveUp);
  }
}

function findUnanswered({ ledger, merchants }: RoundOptions): Problem[] {
  const events = merchants.flatMap(({ merchantId }) => [...ledger.of(merchantId).values()]);
  return events
    .filter(({ ack }) => ack === undefined)
    .map(({ merchantId, event }) => {
      const message = `not acked within ${PATIENCE_MS} ms after recovery`;
      return { kind: "unanswered", merchantId, eventId: event.id, message };
    });
}

async function compare(options: RoundOptions): Promise<Problem[]> {
  const { system, reports, ledger, merchants, revisited, hostile } = options;
  const touched = [...merchants, ...revisited];
  const ids = touched.map(({ merchantId }) => merchantId);
  const stuck = await workedOff(system, PATIENCE_MS);
  if (stuck.length > 0) return stuck;
  const wrong = await compareStored(system, ledger, ids, PATIENCE_MS);
  const ofHostile = await hostile.sent.compare(system.pool, hostile.merchant.merchantId);
  const gaps = (await readGaps(system.pool)).map((message) => ({ kind: "gap", message }) as const);
  return [...wrong, ...ofHostile, ...gaps, ...(await compareReports(reports, ledger, touched))];
}

/** Compares reports with what was acked: they hold all that is committed, so that nothing is waited for. */
export async function compareReports(
  reports: Reports,
  ledger: AckLedger,
  merchants: readonly CreatedMerchant[],
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const merchant of merchants) {
    const { merchantId } = merchant;
    try {
      const told = await reports.totals(merchant, PATIENCE_MS);
      problems.push(...compareReport(merchantId, ledger.totals(merchantId), told));
    } catch (error) {
      problems.push({ kind: "report", merchantId, message: (error as Error).message });
    }
  }
  return problems;
}
