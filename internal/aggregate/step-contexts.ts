import type { BatchView } from "../event/batch-view.ts";
import { eventTime } from "../event/event-time.ts";
import type { CurrencyDay } from "../store/currency-rates.ts";
import type { Pool } from "../store/pool.ts";
import { Currencies } from "./currencies.ts";
import { MerchantSitesCache } from "./merchant-sites.ts";
import { Rates } from "./rates.ts";
import { Rollups } from "./rollups.ts";
import { Salts } from "./salts.ts";
import { saltDays } from "./steps/cookieless.ts";
import { utcDay } from "./steps/hashes.ts";
import type { StepContext } from "./steps/step.ts";

/** Fetches what the steps of batches need to know from the database, so that they themselves can be pure. */
export class StepContexts {
  readonly salts: Salts;
  readonly #currencies: Currencies;
  readonly #rates: Rates;
  readonly #rollups: Rollups;
  readonly #merchantSites: MerchantSitesCache;
  readonly #placeOf: StepContext["placeOf"];

  constructor(pool: Pool, placeOf: StepContext["placeOf"]) {
    this.salts = new Salts(pool);
    this.#currencies = new Currencies(pool);
    this.#rates = new Rates(pool);
    this.#rollups = new Rollups(pool);
    this.#merchantSites = new MerchantSitesCache(pool);
    this.#placeOf = placeOf;
  }

  /** What the steps need to know for some batches. */
  async of(batches: readonly BatchView[]): Promise<StepContext> {
    const days = new Set(batches.flatMap((batch) => [...saltDays(batch)]));
    const salts = await this.salts.of(days);
    const currencies = await this.#currencies.of(merchantsWithOrders(batches));
    const rate = await this.#rates.of(batches.flatMap((batch) => ratesNeeded(batch, currencies)));
    const rollupStarts = await this.#rollups.starts();
    const merchantSites = await this.#merchantSites.all();
    return { currencies, rate, salts, placeOf: this.#placeOf, rollupStarts, merchantSites };
  }
}

function merchantsWithOrders(batches: readonly BatchView[]): Set<number> {
  const merchants = new Set<number>();
  for (const batch of batches) {
    for (const row of batch.order("row") ?? []) merchants.add(batch.merchantIds[row]!);
  }
  return merchants;
}

/** Both currencies of each order in another one than its merchant's. */
function ratesNeeded(batch: BatchView, currencies: ReadonlyMap<number, string>): CurrencyDay[] {
  const rows = batch.order("row");
  const codes = batch.order("currency");
  const needs: CurrencyDay[] = [];
  for (let at = 0; at < (rows?.length ?? 0); at++) {
    const row = rows![at]!;
    const own = currencies.get(batch.merchantIds[row]!);
    const given = batch.dictionary.text(codes?.[at] ?? 0);
    if (own === undefined || given === undefined || given === own) continue;
    const sent = batch.sentTime?.get(row) ?? 0;
    const day = utcDay(eventTime(batch.clientTime.get(row), sent, batch.receivedTime.get(row)));
    needs.push({ currency: own, day }, { currency: given, day });
  }
  return needs;
}
