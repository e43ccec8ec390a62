import type { Pool } from "./pool.ts";

/** What a merchant says of sites; hosts, each of which stands for all below it. */
export interface MerchantSiteLists {
  readonly merchantId: number;
  /** Its own domains beside those of its pages. */
  readonly ownDomains: readonly string[];
  /** Referrers that begin no visit, beside those of everybody. */
  readonly ignoredReferrers: readonly string[];
}

/** Of the merchants that say something. */
export async function readMerchantSites(pool: Pool): Promise<MerchantSiteLists[]> {
  const { rows } = await pool.query<MerchantSiteLists>(
    `SELECT merchant_id AS "merchantId", own_domains AS "ownDomains", ignored_referrers AS "ignoredReferrers"
     FROM merchants WHERE own_domains <> '{}' OR ignored_referrers <> '{}'`,
  );
  return rows;
}
