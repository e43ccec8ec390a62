import { type CreatedMerchant, createMerchant } from "../../internal/store/merchants.ts";
import { AckLedger } from "./ack-ledger.ts";
import { compareRows } from "./compare.ts";
import { type Hostile, Sent } from "./hostile/sent.ts";
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

/** How long a report of the hostile client's merchant may take, ms. */
const REPORT_MS = 60_000;

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
  #hostile: Hostile | undefined;
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
    this.#hostile ??= { merchant: await this.#newMerchant(), sent: new Sent() };
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
      hostile: this.#hostile,
    });
    const problems = await trace(this.#system, found);
    // What is wrong with these merchants is known; others show whether it happens again.
    if (problems.length > 0) this.#rounds = 0;
    const seconds = (performance.now() - started) / 1_000;
    return { round, faults, acked: this.ledger.acked - before, seconds, problems };
  }

  /**
   * Compares the rows and reports of all merchants once more: what was stored long ago may have been doubled since.
   * @returns how many rows the SDKs' merchants have, and what must never be.
   */
  async finish(): Promise<{ stored: number; problems: Problem[] }> {
    const { pool } = this.#system;
    const counts = await countRows(pool);
    const countOf = ({ merchantId }: CreatedMerchant) => counts.get(merchantId) ?? { rows: 0, ids: 0 };
    const all = [...this.#former, ...this.#merchants];
    const suspects = all.filter((merchant) => {
      const { rows, ids } = countOf(merchant);
      return rows !== ids || rows !== this.ledger.totals(merchant.merchantId).events;
    });
    const ids = suspects.map(({ merchantId }) => merchantId);
    const problems = compareRows(this.ledger, ids, await readRows(pool, ids));
    problems.push(...(await compareReports(this.#reports, this.ledger, all)));
    if (this.#hostile !== undefined) problems.push(...(await this.#compareHostile(this.#hostile, countOf)));
    const stored = all.reduce((sum, merchant) => sum + countOf(merchant).rows, 0);
    return { stored, problems: await trace(this.#system, problems) };
  }

  /** Whatever a hostile client sent, its merchant has reports. */
  async #compareHostile(
    { merchant, sent }: Hostile,
    countOf: (merchant: CreatedMerchant) => { rows: number },
  ): Promise<Problem[]> {
    const { merchantId } = merchant;
    const told = await this.#reports.events(merchant, REPORT_MS);
    const { rows } = countOf(merchant);
    const wrong = await sent.compare(this.#system.pool, merchantId);
    if (told === rows) return wrong;
    return [...wrong, { kind: "report", merchantId, message: `events ${told}, stored ${rows}` }];
  }

  async #changeMerchants(): Promise<void> {
    this.#former.push(...this.#merchants);
    this.#merchants = [];
    for (let i = 0; i < MERCHANTS; i++) this.#merchants.push(await this.#newMerchant());
  }

  #newMerchant(): Promise<CreatedMerchant> {
    const fields = { name: "A shop", timeZone: "UTC", currency: CURRENCY, retentionDays: 760 };
    return createMerchant(this.#system.pool, fields);
  }

  /** Two of the former merchants, others in each round. */
  #revisited(round: number): CreatedMerchant[] {
    const count = this.#former.length;
    if (count === 0) return [];
    return [this.#former[(2 * round) % count]!, this.#former[(2 * round + 1) % count]!];
  }
}
