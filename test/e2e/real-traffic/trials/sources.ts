import { expect } from "vitest";
import { minutesAgo, type Trial } from "../shop.ts";

const referrers = (...hosts: string[]) => hosts.map((host) => ({ referrer: `https://${host}/` }));
const landings = (...queries: string[]) =>
  queries.map((query) => ({ url: `https://shop.example/?${query}` }));

/** Where visits come from. */
export const SOURCES: readonly Trial[] = [
  {
    title: "regional and load-balancing hosts of search engines are organic search",
    reported:
      "snowplow-referer-parser/referer-parser#17; searchengine-and-social-list#3; GA4's source categories",
    send: async (shop) => {
      const hosts = ["us.yhs4.search.yahoo.com", "malaysia.search.yahoo.com", "espanol.search.yahoo.com"];
      const more = ["images.search.yahoo.com", "wap.sogou.com", "suche.aol.de"];
      await shop.view(...referrers(...hosts, ...more));
    },
    check: async (shop) => expect(await shop.by("channel")).toEqual({ "Organic Search": 6 }),
  },
  {
    title: "an engine has its own name where its domain lies under a second-level domain",
    reported: "snowplow-referer-parser's referers.yml: Terra, goo, Biglobe, Walla",
    send: async (shop) => {
      const hosts = [
        "buscador.terra.com.br",
        "search.goo.ne.jp",
        "search.biglobe.ne.jp",
        "search.walla.co.il",
      ];
      await shop.view(...referrers(...hosts));
    },
    check: async (shop) =>
      expect(await shop.by("source")).toEqual({ terra: 1, goo: 1, biglobe: 1, walla: 1 }),
  },
  {
    title: "a domain whose first label is a known site's name is a referral like any other",
    reported: "the owners: gemini.com is an exchange, wish.org a charity, bol.com.br a mail portal",
    send: async (shop) => {
      await shop.view(...referrers("www.gemini.com", "wish.org", "www.bol.com.br"));
    },
    check: async (shop) => expect(await shop.by("channel")).toEqual({ Referral: 3 }),
  },
  {
    title: "names of campaign parameters are decoded as their values are",
    reported: "URL standard, urlencoded parsing",
    send: async (shop) => {
      await shop.view(...landings("utm%5Fsource=shopnews&utm%5Fmedium=email"));
    },
    check: async (shop) => expect(await shop.by("channel")).toEqual({ Email: 1 }),
  },
  {
    title: "sources as ad systems write them, without an ending, have their kind",
    reported: "Velir/dbt-ga4, ga4_source_categories.csv: msn SEARCH; hulu VIDEO; digg, deviantart SOCIAL",
    send: async (shop) => {
      const paid = ["utm_source=msn&utm_medium=cpc", "utm_source=hulu&utm_medium=cpc"];
      const links = ["utm_source=digg&utm_medium=link", "utm_source=deviantart&utm_medium=link"];
      await shop.view(...landings(...paid, ...links));
    },
    check: async (shop) =>
      expect(await shop.by("channel")).toEqual({ "Paid Search": 1, "Paid Video": 1, "Organic Social": 2 }),
  },
  {
    title: "who comes back from paying brings no source",
    reported: "spree-contrib/better_spree_paypal_express#69; matomo-org/matomo#18612; Matomo's FAQ",
    send: async (shop) => {
      const visit = { visitorId: "v", sessionId: "s" };
      const cart = { url: "https://shop.example/cart", referrer: "https://shop.example/p" };
      const paid = { url: "https://shop.example/thanks", referrer: "https://www.paypal.com/" };
      const order = { id: "o1", revenueMicros: "50000000" };
      await shop.view(
        { ...visit, ...cart, clientTime: minutesAgo(60) },
        { ...visit, ...paid, name: "purchase", order, clientTime: minutesAgo(50) },
      );
    },
    check: async (shop) => expect(await shop.by("source", "orders")).toEqual({ "": 1 }),
  },
  {
    title: "a host is one in Unicode, in Punycode and in upper case; an IPv6 address is a host",
    reported: "URL standard, host parsing",
    send: async (shop) => {
      const urls = ["https://bücher.example/", "https://BÜCHER.example/", "https://xn--bcher-kva.example/"];
      const { body } = await shop.view(...[...urls, "http://[2001:db8::1]:8080/"].map((url) => ({ url })));
      expect(body.accepted).toBe(4);
    },
    check: async (shop) =>
      expect(await shop.by("host", "page_views")).toEqual({ "xn--bcher-kva.example": 3, "[2001:db8::1]": 1 }),
  },
];
