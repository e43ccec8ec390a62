import { getDomainWithoutSuffix } from "tldts";
import { memo } from "../../cache/memo.ts";
import { HostTable } from "./host-table.ts";
import { readSiteList } from "./site-list.ts";

/** What a site is. Mail: where people read their mail. */
export type SiteKind = "search" | "social" | "shopping" | "video" | "ai" | "mail";

/** A known site: what it is, and how reports call it as a search engine. */
export interface Site {
  readonly kind: SiteKind;
  readonly name: string;
}

const APP = "android-app:";

const hosts = new HostTable<Site | "none">();
const names = new Map<string, Site>();

/** @param isOurs whether the list decides; others only add what ours do not know. */
function load(file: string, kind: SiteKind | "none", isOurs = true): void {
  for (const listed of readSiteList(file)) {
    for (const pattern of listed.hosts) {
      const host = pattern.replace(/^=/, "");
      if (!isOurs && hosts.find(host.replace("*", "com")) !== undefined) continue;
      hosts.add(pattern, kind === "none" ? kind : { kind, name: listed.name ?? nameOf(host) });
    }
    if (kind === "none") continue;
    for (const word of listed.names) {
      const name = plainName(word);
      if (!names.has(name)) names.set(name, { kind, name: listed.name ?? name });
    }
  }
}

/** The label that was registered: "terra" of buscador.terra.com.br. */
function nameOf(host: string): string {
  return getDomainWithoutSuffix(host.replace("*", "com"), { validateHostname: false }) || host;
}

/** "google_shopping", "Google Shopping" and "google-shopping" are one name. */
function plainName(name: string): string {
  return name.replaceAll(/[\s_-]/g, "");
}

load("none.txt", "none");
for (const kind of ["search", "social", "shopping", "video", "ai", "mail"] as const)
  load(`${kind}.txt`, kind);
for (const kind of ["ai", "social", "search"] as const) load(`matomo-${kind}.txt`, kind, false);

/** The known site of a source: a host as `hostOf` gives it, or what a campaign link says; lower case. */
export const siteOf = memo((source: string): Site | undefined => {
  if (!source.includes(".")) return names.get(plainName(source));
  const host = source.startsWith("www.") ? source.slice(4) : source;
  const site = host.startsWith(APP)
    ? hosts.exactly(host)
    : // Some tell an app by its package alone.
      (hosts.find(host) ?? hosts.exactly(`${APP}${host}`));
  return site === "none" ? undefined : site;
}, 20_000);
