import { readMerchantSites } from "../store/merchant-sites.ts";
import type { Pool } from "../store/pool.ts";
import type { MerchantSites } from "./sites/own-site.ts";
import { canonicalHost, withoutWww } from "./steps/address.ts";

/** How old the list may be, ms: what a merchant says holds for events that are processed from then on. */
const FRESH_MS = 5_000;

/** What merchants say of sites, read when batches need it: few say anything. */
export class MerchantSitesCache {
  readonly #pool: Pool;
  #sites: ReadonlyMap<number, MerchantSites> = new Map();
  #since = Number.NEGATIVE_INFINITY;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** @throws what the database says. */
  async all(): Promise<ReadonlyMap<number, MerchantSites>> {
    const now = performance.now();
    if (now - this.#since > FRESH_MS) {
      const rows = await readMerchantSites(this.#pool);
      this.#sites = new Map(
        rows.map(({ merchantId, ownDomains, ignoredReferrers }) => [
          merchantId,
          { ownDomains: hostsOf(ownDomains), ignoredReferrers: hostsOf(ignoredReferrers) },
        ]),
      );
      this.#since = now;
    }
    return this.#sites;
  }
}

/** In the form that `hostOf` gives hosts. */
function hostsOf(given: readonly string[]): ReadonlySet<string> {
  const hosts = given.map((host) => canonicalHost(host)).filter((host) => host !== undefined);
  return new Set(hosts.map(withoutWww));
}
