import { memo } from "../../cache/memo.ts";
import { NOT_SITES, SITES, type SiteKind } from "./traffic-sites.ts";

/** A known site: what it is, and how reports call it as a search engine. */
export interface Site {
  readonly kind: SiteKind;
  readonly name: string;
}

const words = (text: string) => text.trim().split(/\s+/);

const byDomain = new Map<string, Site>();
const byName = new Map<string, Site>();
const byAlias = new Map<string, Site>();
for (const [kind, sites] of Object.entries(SITES) as [SiteKind, (typeof SITES)[SiteKind]][]) {
  for (const domain of words(sites.domains)) byDomain.set(domain, { kind, name: nameOf(domain) });
  for (const name of words(sites.names)) byName.set(name, { kind, name });
  for (const alias of words(sites.aliases)) byAlias.set(alias, { kind, name: alias });
}

/** The label of a domain that says most: "brave" of search.brave.com. */
function nameOf(domain: string): string {
  if (domain.startsWith("android-app:com.google")) return "google";
  return domain.split(".").at(-2) ?? domain;
}

/** Second-level domains under which names are registered, as in google.co.uk. */
const SECOND_LEVEL = new Set(["co", "com", "org", "net", "ne", "or", "gob", "gov", "edu", "ac"]);

/** A search engine's pages of results, and not its mail or its maps. */
const SEARCH_HOST =
  /^((www|m|r|search|images|encrypted|cse|lite|html|safe|cn|[a-z]{2}\.search|r\.search|[a-z]{2}\.images)\.)?$/;

/** The known site of a source: a host, or what a campaign link says; lower case. */
export const siteOf = memo((source: string): Site | undefined => {
  const host = source.startsWith("www.") ? source.slice(4) : source;
  if (NOT_SITES.has(host)) return undefined;
  const alias = byAlias.get(host) ?? byName.get(host);
  if (alias !== undefined) return alias;
  for (let at = 0; at !== -1; at = dotAfter(host, at)) {
    const found = byDomain.get(at === 0 ? host : host.slice(at));
    if (found !== undefined) return found;
  }
  return byRegisteredName(host);
}, 20_000);

/** Where the next label begins, or -1. */
function dotAfter(host: string, at: number): number {
  const dot = host.indexOf(".", at);
  return dot === -1 ? -1 : dot + 1;
}

/** By the label that was registered: that before the top-level domain, or before one such as co.uk. */
function byRegisteredName(host: string): Site | undefined {
  const labels = host.split(".");
  if (labels.length < 2) return undefined;
  const isSecondLevel = labels.at(-1)!.length === 2 && SECOND_LEVEL.has(labels.at(-2)!) && labels.length > 2;
  const at = labels.length - (isSecondLevel ? 3 : 2);
  const site = byName.get(labels[at]!);
  if (site?.kind !== "search") return site;
  const before = labels.slice(0, at).map((label) => `${label}.`);
  return SEARCH_HOST.test(before.join("")) ? site : undefined;
}
