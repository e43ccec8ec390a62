import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { SOURCE_COLUMNS } from "../../store/event-columns.ts";
import { testBatch } from "../../testkit/batches.ts";
import { testContext } from "../../testkit/step-context.ts";
import { process } from "./process.ts";

const SHOP = "https://shop.example/page";

interface Visit {
  readonly url?: string;
  readonly referrer?: string;
}

/** What the step derives of events in one batch, without the columns that are null. */
function sourcesOf(visits: readonly Visit[]): (Record<string, string> | undefined)[] {
  const events = visits.map((visit) => ({ merchantId: 1, time: 1, visitorId: "v", ...visit }));
  const { sealed, batch } = open(testBatch(events, { partition: 0 }).bytes);
  const { source } = process(new BatchView(sealed!.batchId, batch!), testContext());
  return visits.map((_, row) => {
    const texts = source.texts[source.keys?.[row] ?? 0];
    const entries = texts?.map((text, at) => [SOURCE_COLUMNS[at], text]).filter(([, text]) => text !== null);
    return entries && Object.fromEntries(entries);
  });
}

const sourceOf = (url: string | undefined, referrer?: string) =>
  sourcesOf([{ ...(url !== undefined && { url }), ...(referrer !== undefined && { referrer }) }])[0];
const shown = (url: string | undefined, referrer?: string) => {
  const found = sourceOf(url, referrer);
  return found && `${found.source} / ${found.medium} / ${found.channel}`;
};

describe("referrer", () => {
  test.each([
    ["https://www.google.com/", "google / organic / Organic Search"],
    ["https://www.google.co.uk/search?q=x", "google / organic / Organic Search"],
    ["https://r.search.yahoo.com/x", "yahoo / organic / Organic Search"],
    ["android-app://com.google.android.googlequicksearchbox/", "google / organic / Organic Search"],
    ["https://l.facebook.com/l.php?u=x", "l.facebook.com / referral / Organic Social"],
    ["https://t.co/abc", "t.co / referral / Organic Social"],
    ["https://chatgpt.com/", "chatgpt.com / ai-assistant / AI Assistant"],
    ["https://www.youtube.com/watch?v=1", "youtube.com / referral / Organic Video"],
    ["http://WWW.News.Example:8080/a", "news.example / referral / Referral"],
    ["https://user:pw@news.example./", "news.example / referral / Referral"],
    ["https://bücher.example/", "xn--bcher-kva.example / referral / Referral"],
    ["http://[2001:db8::1]:80/", "[2001:db8::1] / referral / Referral"],
    ["android-app://org.example.reader/", "android-app:org.example.reader / referral / Referral"],
  ])("%s", (referrer, expected) => {
    expect(shown(SHOP, referrer)).toBe(expected);
  });

  test("none, or a text that is no address: a direct visit", () => {
    for (const referrer of [undefined, "none", "about:blank", "https://", "/page"]) {
      expect(shown(SHOP, referrer)).toBe("(direct) / (none) / Direct");
    }
  });

  test("of the same site: no source at all, www. and subdomains of one another included", () => {
    const own = (page: string, referrer: string) => shown(`https://${page}/x`, `https://${referrer}/y`);
    expect(own("shop.example", "shop.example")).toBeUndefined();
    expect(own("www.shop.example", "shop.example:8443")).toBeUndefined();
    expect(own("shop.example", "WWW.shop.example")).toBeUndefined();
    expect(own("checkout.shop.example", "shop.example")).toBeUndefined();
    expect(own("shop.example", "checkout.shop.example")).toBeUndefined();
    expect(own("shop.example", "myshop.example")).toBe("myshop.example / referral / Referral");
    expect(own("me.github.io", "github.io")).toBe("github.io / referral / Referral");
    expect(own("a.myshopify.com", "b.myshopify.com")).toBe("b.myshopify.com / referral / Referral");
  });

  test("an event without a page: its referrer's source, or nothing", () => {
    expect(shown(undefined, "https://www.google.com/")).toBe("google / organic / Organic Search");
    expect(shown(undefined)).toBeUndefined();
  });
});

describe("campaign", () => {
  const tagged = (query: string, referrer?: string) => sourceOf(`${SHOP}?${query}`, referrer);

  test("all UTM parameters, decoded; source and medium in lower case", () => {
    const query =
      "utm_source=News%20Letter&utm_medium=Email&utm_campaign=Spring+Sale&utm_id=7&utm_term=shoes&utm_content=top";
    expect(tagged(query, "https://www.google.com/")).toEqual({
      channel: "Email",
      source: "news letter",
      medium: "email",
      campaign: "Spring Sale",
      campaign_id: "7",
      campaign_term: "shoes",
      campaign_content: "top",
    });
  });

  test("counts within the own site too, and before the referrer", () => {
    expect(tagged("utm_source=x&utm_medium=cpc", `${SHOP}/other`)).toMatchObject({
      source: "x",
      medium: "cpc",
    });
  });

  test.each([
    ["utm_source=x", undefined, "x / (not set)"],
    ["utm_medium=email", undefined, "(not set) / email"],
    ["utm_campaign=c", undefined, "(not set) / (not set)"],
    ["utm_campaign=c", "https://www.google.com/", "google / organic"],
    ["utm_medium=email", "https://mail.example/", "mail.example / email"],
    ["utm_source=x", "https://news.example/", "x / (not set)"],
    ["utm_source=x&gclid=1", undefined, "x / cpc"],
    ["utm_source=&gclid=1", undefined, "google / cpc"],
    ["UTM_SOURCE=x&utm_medium=y&utm_medium=z", undefined, "x / y"],
  ])("%s with referrer %s is %s", (query, referrer, expected) => {
    const found = tagged(query, referrer)!;
    expect(`${found.source} / ${found.medium}`).toBe(expected);
  });

  test.each([
    ["gclid", "google / cpc / Paid Search"],
    ["gbraid", "google / cpc / Paid Search"],
    ["wbraid", "google / cpc / Paid Search"],
    ["msclkid", "bing / cpc / Paid Search"],
    ["yclid", "yandex / cpc / Paid Search"],
    ["dclid", "doubleclick / cpm / Display"],
    ["ttclid", "tiktok / cpc / Paid Social"],
    ["twclid", "twitter / cpc / Paid Social"],
    ["li_fat_id", "linkedin / cpc / Paid Social"],
    ["ScCid", "snapchat / cpc / Paid Social"],
    ["fbclid", "facebook / social / Organic Social"],
    ["mc_cid", "mailchimp / email / Email"],
    ["irclickid", "impact / affiliate / Affiliates"],
    ["obclid", "outbrain / cpc / Paid Other"],
  ])("click id %s", (name, expected) => {
    expect(shown(`${SHOP}?a=1&${name}=abc#x`)).toBe(expected);
    expect(sourceOf(`${SHOP}?${name}=abc`)!.click_id).toBe(name.toLowerCase());
    expect(shown(`${SHOP}?not${name}=abc`)).toBe("(direct) / (none) / Direct");
  });

  test("an ad's click id says more than the referrer, one that every link gets says less", () => {
    expect(shown(`${SHOP}?gclid=1`, "https://www.google.com/")).toBe("google / cpc / Paid Search");
    expect(shown(`${SHOP}?fbclid=1`, "https://l.instagram.com/")).toBe(
      "l.instagram.com / referral / Organic Social",
    );
  });

  test("what no database could store is left out, and long texts are cut", () => {
    const long = "x".repeat(300);
    expect(tagged(`utm_source=a%00b&utm_medium=%ED%A0%80&utm_campaign=${long}`)).toMatchObject({
      source: "ab",
      medium: "\ufffd\ufffd\ufffd",
      campaign: "x".repeat(256),
    });
  });

  test("a fragment is no query", () => {
    expect(shown(`${SHOP}#?utm_source=x`)).toBe("(direct) / (none) / Direct");
    expect(sourceOf(`${SHOP}?a=1#&utm_source=x`)).toEqual(sourceOf(SHOP));
  });
});

test("an event gives the same in any batch", () => {
  const url = fc.constantFrom(
    undefined,
    SHOP,
    `${SHOP}?utm_source=x`,
    `${SHOP}?gclid=1`,
    "https://other.example/",
  );
  const referrer = fc.constantFrom(undefined, "https://www.google.com/", "https://shop.example/", "junk");
  const visit = fc.record({ url, referrer }).map((given) => {
    return Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined)) as Visit;
  });
  fc.assert(
    fc.property(fc.array(visit, { minLength: 1, maxLength: 20 }), (visits) => {
      expect(sourcesOf(visits)).toEqual(visits.flatMap((one) => sourcesOf([one])));
    }),
  );
});
