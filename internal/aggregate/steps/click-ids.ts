/** What the id that an advertising or mailing system puts into a link tells of where the visit came from. */
export interface ClickId {
  readonly source: string;
  readonly medium: string;
  /**
   * How it stands to what else the link says. "auto": the ad system tags every ad by itself, and what people wrote for
   * source and medium gives way, as in GA4. "ad": fills what people left out. "weak": put into every link, not only
   * into those of ads, so a referrer knows better.
   */
  readonly strength: "auto" | "ad" | "weak";
}

const ids = (strength: ClickId["strength"], list: readonly (readonly [string, string, string])[]) =>
  list.map(([name, source, medium]) => [name, { source, medium, strength }] as const);

/**
 * By the name of the parameter, lower case, the strongest first. From the systems' own documentation. That Google's beat
 * manual tags: https://support.google.com/analytics/answer/1033981 (auto-tagging, unless an override is allowed).
 */
export const CLICK_IDS: ReadonlyMap<string, ClickId> = new Map<string, ClickId>([
  ...ids("auto", [
    ["gclid", "google", "cpc"],
    ["gbraid", "google", "cpc"],
    ["wbraid", "google", "cpc"],
    ["dclid", "doubleclick", "cpm"],
    ["msclkid", "bing", "cpc"],
  ]),
  ...ids("ad", [
    ["yclid", "yandex", "cpc"],
    ["ttclid", "tiktok", "cpc"],
    ["twclid", "twitter", "cpc"],
    ["li_fat_id", "linkedin", "cpc"],
    ["sccid", "snapchat", "cpc"],
    ["rdt_cid", "reddit", "cpc"],
    ["epik", "pinterest", "cpc"],
    ["qclid", "quora", "cpc"],
    ["obclid", "outbrain", "cpc"],
    ["tblci", "taboola", "cpc"],
    ["irclickid", "impact", "affiliate"],
    ["cjevent", "cj", "affiliate"],
    ["awc", "awin", "affiliate"],
    ["mc_cid", "mailchimp", "email"],
    ["mc_eid", "mailchimp", "email"],
    ["_kx", "klaviyo", "email"],
    ["mkt_tok", "marketo", "email"],
    ["_hsenc", "hubspot", "email"],
  ]),
  ...ids("weak", [
    ["fbclid", "facebook", "social"],
    ["igshid", "instagram", "social"],
    ["srsltid", "google", "organic"],
  ]),
]);
