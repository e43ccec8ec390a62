import { hex16 } from "./ids.ts";
import { type Random, Weighted } from "./random.ts";

/** How a visit came to the shop. */
export interface Arrival {
  /** Address of the site that sent the visitor; empty when the browser tells none. */
  readonly referrer: string;
  /** Query of the landing page, with "?"; empty when there is none. */
  readonly query: string;
}

const DIRECT: Arrival = { referrer: "", query: "" };

const searchEngines = new Weighted<Arrival>(
  (
    [
      ["https://www.google.com/", 82],
      ["https://www.bing.com/", 8],
      ["https://duckduckgo.com/", 5],
      ["https://search.yahoo.com/", 2],
      ["https://www.baidu.com/link?url=x", 1],
      ["https://www.ecosia.org/", 2],
    ] as const
  ).map(([referrer, weight]) => [{ referrer, query: "" }, weight]),
);

const SOCIAL: readonly Arrival[] = [
  { referrer: "https://l.facebook.com/", query: "" },
  { referrer: "https://www.instagram.com/", query: "?utm_source=instagram&utm_medium=social" },
  { referrer: "https://t.co/Zk3xYw", query: "" },
  { referrer: "https://www.pinterest.com/", query: "" },
  {
    referrer: "https://www.tiktok.com/",
    query: "?utm_source=tiktok&utm_medium=social&utm_campaign=creators",
  },
  { referrer: "android-app://com.reddit.frontpage", query: "" },
];

const REFERRALS: readonly Arrival[] = [
  "https://blog.gearnotes.example/best-of-the-year",
  "https://news.morningpost.example/style/42",
  "https://forum.makers.example/t/which-one/8812?page=2",
  "https://compare.prices.example/offer?id=77",
].map((referrer) => ({ referrer, query: "" }));

const NEWSLETTERS = ["weekly", "back-in-stock", "sale", "welcome"];
const CAMPAIGNS = ["brand", "shopping", "retargeting", "gen%C3%A9rique"];

type Maker = (random: Random) => Arrival;

const email: Maker = (random) => ({
  referrer: random.chance(0.3) ? "https://mail.google.com/" : "",
  query: `?utm_source=newsletter&utm_medium=email&utm_campaign=${random.of(NEWSLETTERS)}-w${1 + random.below(52)}`,
});

const paid: Maker = (random) => ({
  referrer: "https://www.google.com/",
  query: `?gclid=Cj0KCQ${hex16(random)}_wcB&utm_source=google&utm_medium=cpc&utm_campaign=${random.of(CAMPAIGNS)}`,
});

const sources = new Weighted<Maker>([
  [(random) => searchEngines.pick(random), 36],
  [() => DIRECT, 30],
  [(random) => random.of(SOCIAL), 12],
  [paid, 10],
  [email, 7],
  [(random) => random.of(REFERRALS), 5],
]);

/** Draws how a person's visit came to the shop. */
export function arrive(random: Random): Arrival {
  return sources.pick(random)(random);
}
