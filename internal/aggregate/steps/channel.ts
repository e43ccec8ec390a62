import { type SiteKind, siteOf } from "../sites/known-sites.ts";

/** Where a visit came from; texts in lower case. */
export interface Origin {
  readonly source: string;
  readonly medium: string;
  readonly campaign: string;
}

type Rule = (origin: Origin, kind: SiteKind | undefined) => boolean;

const oneOf = (...values: string[]) => {
  const set = new Set(values);
  return (value: string) => set.has(value);
};

const isPaid = (medium: string) => /^(.*cp.*|ppc|retargeting|paid.*)$/.test(medium);
const isShopping = (campaign: string) => /^(.*(([^a-df-z]|^)shop|shopping).*)$/.test(campaign);
const isEmail = oneOf("email", "e-mail", "e_mail", "e mail");
const isNone = oneOf("(none)", "(not set)");
const isDisplay = oneOf("display", "banner", "expandable", "interstitial", "cpm");
const isSocial = oneOf("social", "social-network", "social-media", "sm", "social network", "social media");
const isReferral = oneOf("referral", "app", "link");

/**
 * GA4's default channel group for manual traffic, in its order; the first rule that fits gives the channel.
 * https://support.google.com/analytics/answer/9756891 ("[GA4] Default channel group"), as of 2026. The lists of
 * sites are others' and ours (sites/known-sites.ts); a source of the list of assistants counts without GA4's medium as well, since
 * some of them tag their links with a source alone.
 */
export const CHANNELS: readonly (readonly [name: string, rule: Rule])[] = [
  ["Direct", ({ source, medium }) => source === "(direct)" && isNone(medium)],
  ["Cross-network", ({ campaign }) => campaign.includes("cross-network")],
  [
    "Paid Shopping",
    ({ medium, campaign }, kind) => (kind === "shopping" || isShopping(campaign)) && isPaid(medium),
  ],
  ["Paid Search", ({ medium }, kind) => kind === "search" && isPaid(medium)],
  ["Paid Social", ({ medium }, kind) => kind === "social" && isPaid(medium)],
  ["Paid Video", ({ medium }, kind) => kind === "video" && isPaid(medium)],
  ["Display", ({ medium }) => isDisplay(medium)],
  ["Paid Other", ({ medium }) => isPaid(medium)],
  ["AI Assistant", ({ medium }, kind) => medium === "ai-assistant" || kind === "ai"],
  ["Organic Shopping", ({ campaign }, kind) => kind === "shopping" || isShopping(campaign)],
  ["Organic Social", ({ medium }, kind) => kind === "social" || isSocial(medium)],
  ["Organic Video", ({ medium }, kind) => kind === "video" || medium.includes("video")],
  ["Organic Search", ({ medium }, kind) => kind === "search" || medium === "organic"],
  ["Referral", ({ medium }) => isReferral(medium)],
  ["Email", ({ source, medium }) => isEmail(source) || isEmail(medium)],
  ["Affiliates", ({ medium }) => medium === "affiliate"],
  ["Audio", ({ medium }) => medium === "audio"],
  ["SMS", ({ source, medium }) => source === "sms" || medium === "sms"],
  [
    "Mobile Push Notifications",
    ({ source, medium }) =>
      medium.endsWith("push") || /mobile|notification/.test(medium) || source === "firebase",
  ],
];

/** The channel of an origin; "Unassigned" when no rule fits. */
export function channelOf(origin: Origin): string {
  const kind = siteOf(origin.source)?.kind;
  return CHANNELS.find(([, rule]) => rule(origin, kind))?.[0] ?? "Unassigned";
}
