import { getDomain } from "tldts";
import { memo } from "../../cache/memo.ts";
import { isWithin } from "./host-table.ts";

/** What a merchant says of sites; hosts stand for all below them, as `hostOf` gives them. */
export interface MerchantSites {
  /** Its own, beside those of its pages. */
  readonly ownDomains: ReadonlySet<string>;
  /** Referrers that bring nobody, beside those of everybody (ignored-referrers.ts). */
  readonly ignoredReferrers: ReadonlySet<string>;
}

/**
 * Domains under which everybody can have a host, so that hosts side by side are different sites, beside those of the
 * public suffix list's private section (publicsuffix.org, by way of tldts).
 */
const SHARED = new Set(
  "wordpress.com tumblr.com squarespace.com weebly.com bigcartel.com substack.com blogger.com".split(" "),
);

/** The domain that was registered for a host, or the host under a shared domain; undefined of IP addresses and suffixes. */
const siteDomain = memo((host: string): string | undefined => {
  const domain = getDomain(host, { allowPrivateDomains: true, validateHostname: false });
  if (domain === null || !SHARED.has(domain)) return domain ?? undefined;
  const under = host.slice(0, -domain.length - 1);
  return under === "" ? domain : `${under.slice(under.lastIndexOf(".") + 1)}.${domain}`;
}, 20_000);

/** Whether two hosts, as `hostOf` gives them, belong to one site: to one registered domain. */
export function isOneSite(a: string, b: string): boolean {
  if (a === b) return true;
  const domain = siteDomain(a);
  return domain !== undefined && domain === siteDomain(b);
}

/** Whether a page is of the same site as the referrer, as far as the two tell, or by what the merchant says. */
export function isOwnSite(
  page: string | undefined,
  referrer: string,
  sites: MerchantSites | undefined,
): boolean {
  if (page !== undefined && isOneSite(page, referrer)) return true;
  return sites !== undefined && isWithin(referrer, sites.ownDomains);
}
