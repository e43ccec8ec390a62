import { domainToASCII } from "node:url";
import { CLICK_IDS } from "./click-ids.ts";

/** What a link said about the campaign that it belongs to. */
export interface Campaign {
  readonly source: string | null;
  readonly medium: string | null;
  readonly campaign: string | null;
  readonly id: string | null;
  readonly term: string | null;
  readonly content: string | null;
  /** Name of the click id's parameter. */
  readonly clickId: string | null;
}

/**
 * The host of an address, in lower case, without www. and port; undefined for a text that is none. An Android app
 * that sends a visitor is "android-app:PACKAGE".
 */
export function hostOf(text: string): string | undefined {
  const found = /^(https?|android-app):\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)/i.exec(text);
  if (found === null || found[2] === "") return undefined;
  const host = found[2]!.toLowerCase();
  if (found[1]!.toLowerCase() === "android-app") return `android-app:${host}`;
  const plain = host.endsWith(".") ? host.slice(0, -1) : host;
  const ascii = /^[\x21-\x7e]*$/.test(plain) ? plain : domainToASCII(plain);
  if (ascii === "") return undefined;
  return ascii.startsWith("www.") && ascii.length > 4 ? ascii.slice(4) : ascii;
}

/** A quick look for what `campaignOf` reads. */
const TAGGED = new RegExp(`[?&](utm_\\w+|${[...CLICK_IDS.keys()].join("|")})=`, "i");

const MAX_LENGTH = 256;

/** What the query of a page's address says about a campaign; undefined when it says nothing. */
export function campaignOf(url: string): Campaign | undefined {
  // Most addresses have no query: that is seen sooner.
  if (!url.includes("?") || !TAGGED.test(url)) return undefined;
  const end = url.indexOf("#");
  const page = end === -1 ? url : url.slice(0, end);
  const start = page.indexOf("?");
  if (start === -1) return undefined;
  const given = new Map<string, string>();
  let clickId: string | null = null;
  for (const [name, value] of new URLSearchParams(page.slice(start))) {
    const key = name.toLowerCase();
    // The first of a kind counts.
    if (value !== "" && !given.has(key)) given.set(key, clean(value));
    if (value !== "" && CLICK_IDS.has(key)) clickId ??= key;
  }
  const read = (name: string) => given.get(name) || null;
  const source = read("utm_source")?.toLowerCase() ?? null;
  const medium = read("utm_medium")?.toLowerCase() ?? null;
  const [campaign, id] = [read("utm_campaign"), read("utm_id")];
  if ((source ?? medium ?? campaign ?? id ?? clickId) === null) return undefined;
  return { source, medium, campaign, id, term: read("utm_term"), content: read("utm_content"), clickId };
}

/** As it can be stored: PostgreSQL's text cannot hold U+0000. */
function clean(value: string): string {
  return value.replaceAll("\0", "").trim().slice(0, MAX_LENGTH).toWellFormed();
}
