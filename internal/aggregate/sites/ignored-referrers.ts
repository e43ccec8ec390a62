import { getSubdomain } from "tldts";
import { memo } from "../../cache/memo.ts";
import { HostTable, isWithin } from "./host-table.ts";
import type { MerchantSites } from "./own-site.ts";
import { readSiteList } from "./site-list.ts";

const table = new HostTable<true>();
for (const { hosts } of readSiteList("ignored.txt")) for (const host of hosts) table.add(host, true);

/** Labels that banks' access control servers have before their domain: 3-D Secure has a host for every bank. */
const ACCESS_CONTROL = /^(3ds\w*|3d-?secure\w*|acs\d*|acs-[\w-]+|[\w-]+-acs|vbv|securecode)$/;

/** Whether everybody ignores a referrer's host: a visitor comes back from there, but was not sent by it. */
const isIgnoredByAll = memo((host: string): boolean => {
  if (host.startsWith("android-app:")) return table.exactly(host) === true;
  if (table.find(host) === true) return true;
  const labels = getSubdomain(host, { validateHostname: false })?.split(".") ?? [];
  return labels.some((label) => ACCESS_CONTROL.test(label));
}, 20_000);

/** Whether a referrer's host begins no visit and is no source: payment providers, and what the merchant says. */
export function isIgnored(host: string, sites: MerchantSites | undefined): boolean {
  return isIgnoredByAll(host) || (sites !== undefined && isWithin(host, sites.ignoredReferrers));
}
