/** What the id that an advertising or mailing system puts into a link tells of where the visit came from. */
export interface ClickId {
  readonly source: string;
  readonly medium: string;
  /** Put into every link, not only into those of ads: a referrer knows better. */
  readonly isWeak?: boolean;
}

/** By the name of the parameter, lower case. From the systems' own documentation. */
export const CLICK_IDS: ReadonlyMap<string, ClickId> = new Map<string, ClickId>([
  ["gclid", { source: "google", medium: "cpc" }],
  ["gbraid", { source: "google", medium: "cpc" }],
  ["wbraid", { source: "google", medium: "cpc" }],
  ["dclid", { source: "doubleclick", medium: "cpm" }],
  ["msclkid", { source: "bing", medium: "cpc" }],
  ["yclid", { source: "yandex", medium: "cpc" }],
  ["ttclid", { source: "tiktok", medium: "cpc" }],
  ["twclid", { source: "twitter", medium: "cpc" }],
  ["li_fat_id", { source: "linkedin", medium: "cpc" }],
  ["sccid", { source: "snapchat", medium: "cpc" }],
  ["rdt_cid", { source: "reddit", medium: "cpc" }],
  ["epik", { source: "pinterest", medium: "cpc" }],
  ["qclid", { source: "quora", medium: "cpc" }],
  ["obclid", { source: "outbrain", medium: "cpc" }],
  ["tblci", { source: "taboola", medium: "cpc" }],
  ["irclickid", { source: "impact", medium: "affiliate" }],
  ["cjevent", { source: "cj", medium: "affiliate" }],
  ["awc", { source: "awin", medium: "affiliate" }],
  ["mc_cid", { source: "mailchimp", medium: "email" }],
  ["mc_eid", { source: "mailchimp", medium: "email" }],
  ["_kx", { source: "klaviyo", medium: "email" }],
  ["mkt_tok", { source: "marketo", medium: "email" }],
  ["_hsenc", { source: "hubspot", medium: "email" }],
  ["fbclid", { source: "facebook", medium: "social", isWeak: true }],
  ["igshid", { source: "instagram", medium: "social", isWeak: true }],
  ["srsltid", { source: "google", medium: "organic", isWeak: true }],
]);
