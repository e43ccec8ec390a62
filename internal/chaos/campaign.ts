import { type CreatedMerchant, createMerchant } from "../store/merchants.ts";
import { AckLedger } from "./ack-ledger.ts";
import { compareRows } from "./compare.ts";
import { Past } from "./past.ts";
import { type Fault, planRound } from "./planner.ts";
import type { Problem } from "./problem.ts";
import { Reports } from "./reports.ts";
import { compareReports, runRound } from "./round.ts";
import { countRows, readRows } from "./stored.ts";
import type { System } from "./system.ts";
import { trace } from "./trace.ts";
import { CURRENCY } from "./traffic.ts";

/** Merchants that send at one time, and for how many rounds: then others take their place. */
const MERCHANTS = 4;
const ROUNDS_OF_MERCHANTS = 8;

export interface CampaignOptions {
  readonly seed: number;
  readonly rate: number;
  readonly signal: AbortSignal;
}

/** What a round has shown. */
export interface RoundResult {
  readonly round: number;
  readonly faults: readonly Fault[];
  /** Events that were acked in it for the first time. */
  readonly acked: number;
  readonly seconds: number;
  readonly problems: readonly Problem[];
}

/** Rounds on one installation, and all that the load generator knows of them. */
export class Campaign {
  readonly ledger = new AckLedger();
  readonly #system: System;
  readonly #options: CampaignOptions;
  readonly #reports: Reports;
  readonly #past = new Past();
  readonly #former: CreatedMerchant[] = [];
  #merchants: CreatedMerchant[] = [];
  #rounds = 0;

  constructor(system: System, options: CampaignOptions) {
    this.#system = system;
    this.#options = options;
    this.#reports = new Reports(system.queryUrl);
  }

  /** Runs the round of a number. */
  async run(round: number): Promise<RoundResult> {
    const started = performance.now();
    const before = this.ledger.acked;
    const { seed } = this.#options;
    const faults = planRound(seed, round);
    if (this.#rounds++ % ROUNDS_OF_MERCHANTS === 0) await this.#changeMerchants();
    const found = await runRound({
      ...this.#options,
      system: this.#system,
      reports: this.#reports,
      ledger: this.ledger,
      past: this.#past,
      round,
      faults,
      merchants: this.#merchants,
      revisited: this.#revisited(round),
    });
    const problems = await trace(this.#system, found);
    // What is wrong with these merchants is known; others show whether it happens again.
    if (problems.length > 0) this.#rounds = 0;
    const seconds = (performance.now() - started) / 1_000;
    return { round, faults, acked: this.ledger.acked - before, seconds, problems };
  }

  /**
   * Compares the rows and reports of all merchants once more: what was stored long ago may have been doubled since.
   * @returns how many rows there are, and what must never be.
   */
  async finish(): Promise<{ stored: number; problems: Problem[] }> {
    const counts = await countRows(this.#system.pool);
    const stored = [...counts.values()].reduce((sum, { rows }) => sum + rows, 0);
    const all = [...this.#former, ...this.#merchants];
    const suspects = all.filter(({ merchantId }) => {
      const { rows, ids } = counts.get(merchantId) ?? { rows: 0, ids: 0 };
      return rows !== ids || rows !== this.ledger.totals(merchantId).events;
    });
    const ids = suspects.map(({ merchantId }) => merchantId);
    const problems = compareRows(this.ledger, ids, await readRows(this.#system.pool, ids));
    problems.push(...(await compareReports(this.#reports, this.ledger, all)));
    return { stored, problems: await trace(this.#system, problems) };
  }

  async #changeMerchants(): Promise<void> {
    this.#former.push(...this.#merchants);
    this.#merchants = [];
    for (let i = 0; i < MERCHANTS; i++) {
      const fields = { name: "A shop", timeZone: "UTC", currency: CURRENCY, retentionDays: 760 };
      this.#merchants.push(await createMerchant(this.#system.pool, fields));
    }
  }

  /** Two of the former merchants, others in each round. */
  #revisited(round: number): CreatedMerchant[] {
    const count = this.#former.length;
    if (count === 0) return [];
    return [this.#former[(2 * round) % count]!, this.#former[(2 * round + 1) % count]!];
  }
}
