import { describe, expect, test } from "vitest";
import { CHANNELS, channelOf } from "./channel.ts";

const channel = (source: string, medium: string, campaign = "") => channelOf({ source, medium, campaign });

/** For each rule, origins that it takes; where a later rule would take them too, the order counts. */
const EXAMPLES: Readonly<
  Record<string, readonly (readonly [source: string, medium: string, campaign?: string])[]>
> = {
  Direct: [
    ["(direct)", "(none)"],
    ["(direct)", "(not set)"],
  ],
  "Cross-network": [
    ["google", "cpc", "summer cross-network 7"],
    ["google", "organic", "cross-network"],
  ],
  "Paid Shopping": [
    ["amazon.de", "cpc"],
    ["google", "cpc", "shopping-de"],
    ["google", "ppc", "my_shop"],
    ["shopping.google.com", "paid"],
  ],
  "Paid Search": [
    ["google", "cpc"],
    ["bing", "ppc"],
    ["www.google.co.uk", "cpm"],
    ["yahoo", "paidsearch"],
    ["duckduckgo", "retargeting"],
  ],
  "Paid Social": [
    ["facebook", "cpc"],
    ["ig", "paid"],
    ["tiktok", "paid-social"],
    ["m.facebook.com", "xcpx"],
  ],
  "Paid Video": [
    ["youtube", "cpv-cpc"],
    ["vimeo.com", "paid"],
  ],
  Display: [
    ["news.example", "display"],
    ["news.example", "banner"],
    ["news.example", "expandable"],
    ["news.example", "interstitial"],
    ["news.example", "cpm"],
  ],
  "Paid Other": [
    ["outbrain", "cpc"],
    ["news.example", "paid"],
    ["news.example", "retargeting"],
    ["news.example", "ppc"],
  ],
  "AI Assistant": [
    ["chatgpt.com", "ai-assistant"],
    ["chatgpt.com", "(not set)"],
    ["perplexity.ai", "referral"],
    ["anything", "ai-assistant"],
    ["gemini.google.com", "referral"],
  ],
  "Organic Shopping": [
    ["ebay.co.uk", "referral"],
    ["idealo.de", "referral"],
    ["news.example", "referral", "shop-the-look"],
  ],
  "Organic Social": [
    ["facebook.com", "referral"],
    ["t.co", "referral"],
    ["l.instagram.com", "referral"],
    ["anything", "social-media"],
    ["anything", "sm"],
  ],
  "Organic Video": [
    ["youtube.com", "referral"],
    ["youtu.be", "referral"],
    ["anything", "online-video"],
  ],
  "Organic Search": [
    ["google", "organic"],
    ["anything", "organic"],
    ["ecosia.org", "referral"],
    ["uk.search.yahoo.com", "referral"],
  ],
  Referral: [
    ["news.example", "referral"],
    ["news.example", "app"],
    ["news.example", "link"],
    ["mail.google.com", "referral"],
  ],
  Email: [
    ["newsletter", "email"],
    ["e-mail", "(not set)"],
    ["anyone", "e_mail"],
    ["e mail", "anything"],
  ],
  Affiliates: [["partner", "affiliate"]],
  Audio: [["podcast", "audio"]],
  SMS: [
    ["sms", "anything"],
    ["anyone", "sms"],
  ],
  "Mobile Push Notifications": [
    ["anyone", "web-push"],
    ["anyone", "mobile"],
    ["anyone", "a notification b"],
    ["firebase", "anything"],
  ],
  Unassigned: [
    ["feedburner", "feed"],
    ["anyone", "(not set)"],
    ["newsletter", "newsletter"],
    ["anyone", "affiliates"],
    ["anyone", "push-note"],
    ["anyone", "cost"],
  ],
};

describe.each(Object.entries(EXAMPLES))("%s", (name, origins) => {
  test.each(origins.map((origin) => [...origin, ""]))("takes %s / %s / %s", (source, medium, campaign) => {
    expect(channel(source!, medium!, campaign!)).toBe(name);
  });
});

test("every rule has an example", () => {
  expect([...CHANNELS.map(([name]) => name), "Unassigned"]).toEqual(Object.keys(EXAMPLES));
});

test("a campaign is a shopping campaign by the word, not by letters within another", () => {
  expect(channel("anyone", "referral", "summer shop")).toBe("Organic Shopping");
  // GA4's expression takes what no letter but e stands before.
  expect(channel("anyone", "referral", "eshop")).toBe("Organic Shopping");
  expect(channel("anyone", "referral", "workshop")).toBe("Referral");
  expect(channel("anyone", "referral", "bishop")).toBe("Referral");
});
