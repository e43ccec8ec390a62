import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testBatch } from "../../../test/kit/batches.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { SOURCE_COLUMNS } from "../../store/event-columns.ts";
import { process } from "./process.ts";
import type { StepContext } from "./step.ts";

const SHOP = "https://shop.example/page";

interface Visit {
  readonly url?: string;
  readonly referrer?: string;
  readonly merchantId?: number;
}

/** What the step derives of events in one batch, without the columns that are null. */
function sourcesOf(
  visits: readonly Visit[],
  merchantSites: StepContext["merchantSites"] = new Map(),
): (Record<string, string> | undefined)[] {
  const events = visits.map((visit) => ({ merchantId: 1, time: 1, visitorId: "v", ...visit }));
  const { sealed, batch } = open(testBatch(events, { partition: 0 }).bytes);
  const { source } = process(new BatchView(sealed!.batchId, batch!), testContext({ merchantSites }));
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
    ["https://us.yhs4.search.yahoo.com/", "yahoo / organic / Organic Search"],
    ["https://buscador.terra.com.br/", "terra / organic / Organic Search"],
    ["https://blog.naver.com/x", "blog.naver.com / referral / Organic Social"],
    ["https://mail.google.com/", "mail.google.com / email / Email"],
    ["android-app://com.google.android.gm/", "android-app:com.google.android.gm / email / Email"],
    ["android-app://com.linkedin.android/", "android-app:com.linkedin.android / referral / Organic Social"],
    ["https://www.gemini.com/", "gemini.com / referral / Referral"],
    ["https://www.bol.com.br/", "bol.com.br / referral / Referral"],
    ["https://news-example.cdn.ampproject.org/c/s/news.example/", "news.example / referral / Referral"],
    ["www.google.com", "google / organic / Organic Search"],
    ["//l.facebook.com/l.php", "l.facebook.com / referral / Organic Social"],
    ["com.google.android.gm", "com.google.android.gm / email / Email"],
    ["https://localhost:3000/", "localhost / referral / Referral"],
  ])("%s", (referrer, expected) => {
    expect(shown(SHOP, referrer)).toBe(expected);
  });

  test("none, or a text that is no address: a direct visit", () => {
    for (const referrer of [
      undefined,
      "none",
      "about:blank",
      "https://",
      "/page",
      "google",
      "a b.com",
      "v1.2",
    ]) {
      expect(shown(SHOP, referrer)).toBe("(direct) / (none) / Direct");
    }
  });

  test("of the same site: no source at all, all hosts of a registered domain included", () => {
    const own = (page: string, referrer: string) => shown(`https://${page}/x`, `https://${referrer}/y`);
    expect(own("shop.example", "shop.example")).toBeUndefined();
    expect(own("www.shop.example", "shop.example:8443")).toBeUndefined();
    expect(own("shop.example", "WWW.shop.example")).toBeUndefined();
    expect(own("checkout.shop.example", "shop.example")).toBeUndefined();
    expect(own("shop.example", "checkout.shop.example")).toBeUndefined();
    expect(own("a.shop.co.uk", "b.shop.co.uk")).toBeUndefined();
    expect(own("bücher.example", "xn--bcher-kva.example")).toBeUndefined();
    expect(own("shop.example", "myshop.example")).toBe("myshop.example / referral / Referral");
    expect(own("me.github.io", "github.io")).toBe("github.io / referral / Referral");
    expect(own("a.myshopify.com", "b.myshopify.com")).toBe("b.myshopify.com / referral / Referral");
  });

  test("the referrer's host, but for one's own sites and ignored ones", () => {
    const host = (query: string, referrer?: string) => sourceOf(`${SHOP}${query}`, referrer)?.referrer_host;
    expect(host("", "https://WWW.News.example:8443/a?b#c")).toBe("news.example");
    expect(host("?utm_source=x", "https://bücher.example/")).toBe("xn--bcher-kva.example");
    expect(host("?gclid=1", "www.google.com")).toBe("google.com");
    for (const referrer of [undefined, "junk", "https://a.shop.example/", "https://www.paypal.com/"]) {
      expect(host("", referrer)).toBeUndefined();
      expect(host("?utm_source=x", referrer)).toBeUndefined();
    }
  });

  test("back from paying: no source, but what a link says counts", () => {
    for (const host of ["www.paypal.com", "hooks.stripe.com", "acs.bank.example"]) {
      expect(shown(SHOP, `https://${host}/x`)).toBeUndefined();
      expect(shown(undefined, `https://${host}/x`)).toBeUndefined();
    }
    expect(shown(`${SHOP}?utm_source=news&utm_medium=email`, "https://www.paypal.com/")).toBe(
      "news / email / Email",
    );
    expect(shown(`${SHOP}?utm_campaign=x`, "https://www.paypal.com/")).toBe(
      "(not set) / (not set) / Unassigned",
    );
  });

  test("what a merchant says of sites holds for it alone, in a batch of many", () => {
    const sites = (own: string[], ignored: string[]) => ({
      ownDomains: new Set(own),
      ignoredReferrers: new Set(ignored),
    });
    const said = new Map([
      [2, sites(["checkout.example"], [])],
      [3, sites([], ["bank.example"])],
    ]);
    const referrers = ["https://pay.checkout.example/", "https://www.bank.example/", "https://t.co/x"];
    const visits = [1, 2, 3, 1, 2].flatMap((merchantId) =>
      referrers.map((referrer) => ({ merchantId, url: SHOP, referrer })),
    );
    const found = sourcesOf(visits, said).map((texts) => texts?.source);
    expect(found).toEqual([
      ...["pay.checkout.example", "bank.example", "t.co"],
      ...[undefined, "bank.example", "t.co"],
      ...["pay.checkout.example", undefined, "t.co"],
      ...["pay.checkout.example", "bank.example", "t.co"],
      ...[undefined, "bank.example", "t.co"],
    ]);
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
      referrer_host: "google.com",
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
    ["utm_source=x&ttclid=1", undefined, "x / cpc"],
    ["utm_source=x&fbclid=1", undefined, "x / (not set)"],
    ["utm_medium=paid&fbclid=1", undefined, "facebook / paid"],
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

  /** https://support.google.com/analytics/answer/1033981: auto-tagging beats manual tags. */
  test.each([
    ["gclid=1", "google / cpc"],
    ["gbraid=1", "google / cpc"],
    ["wbraid=1", "google / cpc"],
    ["dclid=1", "doubleclick / cpm"],
    ["msclkid=1", "bing / cpc"],
    ["fbclid=2&gclid=1", "google / cpc"],
  ])("an ad system's own tag goes before manual ones: %s", (id, expected) => {
    const found = tagged(`utm_source=newsletter&utm_medium=email&utm_campaign=spring&${id}`)!;
    expect(`${found.source} / ${found.medium}`).toBe(expected);
    expect(found.campaign).toBe("spring");
  });

  test("what no database could store is left out, and long texts are cut", () => {
    const long = "x".repeat(300);
    expect(tagged(`utm_source=a%00b&utm_medium=%ED%A0%80&utm_campaign=${long}`)).toMatchObject({
      source: "ab",
      medium: "\ufffd\ufffd\ufffd",
      campaign: "x".repeat(256),
    });
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
