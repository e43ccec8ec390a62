import { describe, expect, test } from "vitest";
import { siteOf } from "./known-sites.ts";
import { readSiteList } from "./site-list.ts";

const kindOf = (source: string) => siteOf(source)?.kind;

/** Hosts as GA4's published categories, Matomo's list (CC0) and the sites' owners have them. */
const HOSTS: Readonly<Record<string, readonly string[]>> = {
  search: [
    ..."google.com google.co.uk google.com.br google.de google.cat images.google.fr lens.google.com".split(
      " ",
    ),
    ..."yahoo.com us.yhs4.search.yahoo.com malaysia.search.yahoo.com espanol.search.yahoo.com".split(" "),
    ..."images.search.yahoo.com r.search.yahoo.com search.yahoo.co.jp yahoo.co.jp fr.yahoo.com".split(" "),
    ..."bing.com cn.bing.com msn.com ntp.msn.com duckduckgo.com ecosia.org lite.qwant.com".split(" "),
    ..."yandex.com.tr yandex.by yandex.uz m.yandex.ru ya.ru m.baidu.com wap.sogou.com so.com m.sm.cn".split(
      " ",
    ),
    ..."search.naver.com m.search.naver.com naver.com search.daum.net suche.aol.de search.aol.co.uk".split(
      " ",
    ),
    ..."buscador.terra.com.br buscador.terra.cl search.goo.ne.jp search.biglobe.ne.jp search.walla.co.il".split(
      " ",
    ),
    ..."suche.t-online.de search.brave.com kagi.com search.seznam.cz coccoc.com go.mail.ru nova.rambler.ru".split(
      " ",
    ),
    ..."metager.de pesquisa.sapo.pt szukaj.wp.pl busca.uol.com.br yep.com".split(" "),
  ],
  social: [
    ..."facebook.com l.facebook.com lm.facebook.com m.facebook.com l.instagram.com t.co x.com lnkd.in".split(
      " ",
    ),
    ..."out.reddit.com old.reddit.com amp.reddit.com pin.it pinterest.co.uk br.pinterest.com pinterest.com.mx".split(
      " ",
    ),
    ..."t.me away.vk.com m.vk.com ok.ru weibo.com mp.weixin.qq.com xiaohongshu.com zhihu.com".split(" "),
    ..."threads.net l.threads.com bsky.app go.bsky.app mastodon.social mstdn.jp discord.com".split(" "),
    ..."blog.naver.com cafe.naver.com m.kin.naver.com cafe.daum.net blog.goo.ne.jp b.hatena.ne.jp".split(" "),
    ..."groups.google.com sites.google.com news.ycombinator.com some.blogspot.com my.mail.ru deviantart.com".split(
      " ",
    ),
  ],
  shopping: [
    ..."amazon.de amazon.co.jp amazon.com.br smile.amazon.com ebay.com.au ebay.co.uk etsy.com".split(" "),
    ..."mercadolibre.com.ar mercadolivre.com.br allegro.pl shopping.google.com shopping.yahoo.co.jp".split(
      " ",
    ),
    ..."shopping.naver.com cr2.shopping.naver.com wish.com bol.com market.yandex.ru one.walmart.com".split(
      " ",
    ),
  ],
  video: "youtube.com m.youtube.com music.youtube.com youtu.be player.vimeo.com m.twitch.tv iq.com".split(
    " ",
  ),
  ai: [
    ..."chatgpt.com chat.openai.com perplexity.ai gemini.google.com bard.google.com claude.ai".split(" "),
    ..."copilot.microsoft.com chat.deepseek.com grok.com meta.ai chat.mistral.ai yiyan.baidu.com you.com".split(
      " ",
    ),
  ],
  mail: [
    ..."mail.google.com mail.yahoo.com mail.yahoo.co.jp outlook.live.com mail.yandex.ru e.mail.ru".split(" "),
    ..."mail.naver.com email.seznam.cz poczta.onet.pl mail.walla.co.il mail.rambler.ru deref-gmx.net".split(
      " ",
    ),
  ],
};

describe.each(Object.entries(HOSTS))("%s", (kind, hosts) => {
  test.each(hosts)("%s", (host) => {
    expect(kindOf(host)).toBe(kind);
    expect(kindOf(`www.${host}`)).toBe(kind);
  });
});

test.each([
  // Other firms, and other sites of the same ones.
  ..."gemini.com wish.org bol.com.br target.example google.example.com notgoogle.com google.shop".split(" "),
  ..."ask.me.example claude.com.br amazon.shop amazon.example x.org threads.com.br copilot.net".split(" "),
  ..."docs.google.com accounts.google.com maps.google.de translate.google.com news.yahoo.com".split(" "),
  ..."finance.yahoo.com login.yahoo.com aws.amazon.com cnn.com mail.ru login.live.com".split(" "),
  ..."example.com co.uk com . .. ".split(" "),
])("%s is no known site", (host) => {
  expect(siteOf(host)).toBeUndefined();
});

test.each([
  ...["msn", "google", "Google Play", "search-results", "adwords", "bing_ads", "terra"].map((name) => [
    "search",
    name,
  ]),
  ...["fb", "ig", "an", "msg", "digg", "deviantart", "blogger", "facebook", "social"].map((name) => [
    "social",
    name,
  ]),
  ...["IGShopping", "Google Shopping", "google_shopping", "ebay", "stripe"].map((name) => ["shopping", name]),
  ...["hulu", "youku", "disneyplus", "yt"].map((name) => ["video", name]),
  ...["chatgpt", "perplexity", "copilot"].map((name) => ["ai", name]),
  ...["newsletter", "so", "free", "com", "web", "email", ""].map((name) => [undefined, name]),
])("a campaign's %s: %s", (kind, name) => {
  expect(kindOf(name!.toLowerCase())).toBe(kind);
});

/** Packages as Google Play names them. */
test.each([
  ["search", "com.google.android.googlequicksearchbox"],
  ["mail", "com.google.android.gm"],
  ["mail", "com.microsoft.office.outlook"],
  ["social", "com.facebook.katana"],
  ["social", "com.linkedin.android"],
  ["social", "com.pinterest"],
  ["social", "com.slack"],
  ["social", "com.instagram.android"],
  ["social", "com.twitter.android"],
  ["social", "com.reddit.frontpage"],
  ["social", "org.telegram.messenger"],
  ["video", "com.google.android.youtube"],
  ["ai", "com.openai.chatgpt"],
  [undefined, "org.example.reader"],
  [undefined, "com.pinterest.example"],
])("an app, %s: %s", (kind, name) => {
  expect(kindOf(`android-app:${name}`)).toBe(kind);
  expect(kindOf(name)).toBe(kind);
});

/** A source named com, ne or co names nobody. */
test.each([
  ["buscador.terra.com.br", "terra"],
  ["search.goo.ne.jp", "goo"],
  ["search.biglobe.ne.jp", "biglobe"],
  ["search.walla.co.il", "walla"],
  ["google.com.br", "google"],
  ["search.yahoo.co.jp", "yahoo"],
  ["uk.ask.com", "ask"],
  ["yandex.com.tr", "yandex"],
  ["otsing.delfi.ee", "delfi"],
])("%s is reported as %s", (host, name) => {
  expect(siteOf(host)).toEqual({ kind: "search", name });
});

test("no host stands in two of our lists", () => {
  const seen = new Map<string, string>();
  for (const kind of ["none", "search", "social", "shopping", "video", "ai", "mail"]) {
    for (const host of readSiteList(`${kind}.txt`).flatMap(({ hosts }) => hosts)) {
      const plain = host.replace("=", "");
      expect([plain, seen.get(plain) ?? kind]).toEqual([plain, kind]);
      seen.set(plain, kind);
    }
  }
  expect(seen.size).toBeGreaterThan(1_000);
});
