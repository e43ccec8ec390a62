import { CLICK_IDS } from "./click-ids.ts";
import { decodedValue, linkParameters } from "./parameters.ts";

/** What a link said about the campaign that it belongs to. */
export interface Campaign {
  readonly source: string | null;
  readonly medium: string | null;
  readonly campaign: string | null;
  readonly id: string | null;
  readonly term: string | null;
  readonly content: string | null;
  /** Name of the click id's parameter; of several, the strongest. */
  readonly clickId: string | null;
}

type Field = Exclude<keyof Campaign, "clickId">;

/** The parameters of each field, those that go first before others: UTM's, then Matomo's with its old names. */
const FIELDS: Readonly<Record<Field, readonly string[]>> = {
  source: ["utm_source", "mtm_source", "pk_source"],
  medium: ["utm_medium", "mtm_medium", "pk_medium"],
  campaign: ["utm_campaign", "mtm_campaign", "pk_campaign", "piwik_campaign"],
  id: ["utm_id", "mtm_cid", "pk_cid"],
  term: ["utm_term", "mtm_keyword", "mtm_kwd", "pk_keyword", "pk_kwd", "piwik_kwd"],
  content: ["utm_content", "mtm_content", "pk_content"],
};

const WANTED = new Set([...Object.values(FIELDS).flat(), ...CLICK_IDS.keys()]);

/** A quick look for what may be read: a name as it is, or one that is encoded. */
const TAGGED = new RegExp(`[?&#;](?:${[...WANTED].join("|")})=|[?&#;][^?&#;=%]{0,100}%`, "i");

/** What a page's address says about a campaign; undefined when it says nothing. */
export function campaignOf(url: string): Campaign | undefined {
  // Most addresses have neither query nor fragment, and no tag: that is seen sooner.
  if (!(url.includes("?") || url.includes("#")) || !TAGGED.test(url)) return undefined;
  const given = linkParameters(url, (name) => WANTED.has(name));
  if (given.size === 0) return undefined;
  const read = (field: Field) => firstFilled(FIELDS[field], given);
  const source = read("source")?.toLowerCase() ?? null;
  const medium = read("medium")?.toLowerCase() ?? null;
  const [campaign, id] = [read("campaign"), read("id")];
  const clickId = [...CLICK_IDS.keys()].find((name) => firstFilled([name], given) !== null) ?? null;
  if ((source ?? medium ?? campaign ?? id ?? clickId) === null) return undefined;
  return { source, medium, campaign, id, term: read("term"), content: read("content"), clickId };
}

function firstFilled(names: readonly string[], given: ReadonlyMap<string, string>): string | null {
  for (const name of names) {
    const value = given.get(name);
    const meant = value === undefined ? "" : storable(filled(decodedValue(value).trim()));
    if (meant !== "") return meant;
  }
  return null;
}

/**
 * Placeholders for the ad system to fill, as they stand in links that it did not: Meta, Snapchat and LinkedIn
 * {{campaign.name}}; Google, Microsoft and Pinterest {campaignid}; TikTok __CAMPAIGN_NAME__; Campaign Manager %%SITE%% and
 * ${SITE}; Mailchimp *|CAMPAIGN|*; [CAMPAIGN_ID].
 */
const PLACEHOLDER =
  /^(?:\{[\w.:-]*\}|__[A-Z0-9_]+__|%%[\w.:-]+%%|\$\{[\w.:-]*\}|\*\|[\w.:-]+\|\*|\[[A-Z0-9_]+\])$/;

/** The value without Meta's placeholders; empty where it is nothing but a placeholder. */
function filled(value: string): string {
  if (PLACEHOLDER.test(value)) return "";
  if (!value.includes("{{")) return value;
  const rest = value.replaceAll(/\{\{[^{}]*\}\}/g, "");
  return rest === value ? value : rest.replace(/^[\s_|+-]+/, "").trim();
}

const MAX_LENGTH = 256;

/** As it can be stored: PostgreSQL's text cannot hold U+0000. */
function storable(value: string): string {
  const cut = value.replaceAll("\0", "").slice(0, MAX_LENGTH);
  // Not through the middle of a character of two units.
  return (value.isWellFormed() ? cut.replace(/[\uD800-\uDBFF]$/, "") : cut.toWellFormed()).trim();
}
