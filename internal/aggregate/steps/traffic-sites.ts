/**
 * Sites that send visitors, by what they are: our own list of well-known ones, put together from common knowledge
 * for the categories that GA4's default channel group names (docs/processing.md). A name stands for the site in
 * every country ("google" for google.com and google.co.uk) and for itself, as campaign links write it
 * (utm_source=google); a domain stands for itself and its subdomains.
 */
export type SiteKind = "search" | "social" | "shopping" | "video" | "ai";

interface Sites {
  /** First labels of domains that exist under many top-level domains. */
  readonly names: string;
  readonly domains: string;
  /** What campaign links call them beside that. */
  readonly aliases: string;
}

export const SITES: Readonly<Record<SiteKind, Sites>> = {
  search: {
    names: `google bing yahoo yandex duckduckgo baidu ecosia qwant startpage ask aol naver daum seznam sogou mojeek
      swisscows dogpile lycos excite metager rambler kagi presearch webcrawler ekoru lilo`,
    domains: `ya.ru so.com m.sm.cn search.brave.com msn.com search.naver.com go.mail.ru nova.rambler.ru
      search.seznam.cz coccoc.com ixquick.com info.com alltheinternet.com gibiru.com yep.com you.com
      search.lilo.org search.aol.com isearch.babylon.com search.conduit.com search.avg.com search.tb.ask.com
      websearch.com search.incredimail.com virgilio.it onet.pl szukacz.pl walla.co.il biglobe.ne.jp
      goo.ne.jp auone.jp search.smt.docomo.ne.jp docomo.ne.jp haosou.com 360.cn shenma.cn
      eniro.se kvasir.no sapo.pt terra.com.br zoo.com alice.it comcast.net search.xfinity.com
      metasearch.com karmasearch.org oceanhero.today rechercher.fr search.marginalia.nu stract.com
      googleadservices.com syndicatedsearch.goog android-app:com.google.android.googlequicksearchbox`,
    aliases: "google-ads googleads adwords bing-ads bingads microsoft brave",
  },
  social: {
    names: `facebook instagram twitter linkedin pinterest reddit tumblr vkontakte snapchat weibo quora
      whatsapp telegram wechat badoo threads mastodon bluesky discord nextdoor odnoklassniki myspace`,
    domains: `fb.com fb.me messenger.com meta.com t.co x.com lnkd.in pin.it redd.it vk.com ok.ru t.me telegram.me
      wa.me threads.net bsky.app go.bsky.app mastodon.social mastodon.online mstdn.social fosstodon.org hachyderm.io
      tiktok.com douyin.com weibo.cn qzone.qq.com weixin.qq.com xiaohongshu.com zhihu.com douban.com
      line.me kakao.com band.us mixi.jp ameblo.jp hatena.ne.jp hatenablog.com note.com
      xing.com meetup.com livejournal.com plurk.com renren.com tagged.com hi5.com skyrock.com taringa.net
      news.ycombinator.com lobste.rs slashdot.org digg.com stumbleupon.com flipboard.com getpocket.com
      del.icio.us delicious.com scoop.it instapaper.com diigo.com folkd.com medium.com substack.com blogger.com
      blogspot.com wordpress.com typepad.com flickr.com deviantart.com behance.net dribbble.com 500px.com
      goodreads.com last.fm soundcloud.com bandcamp.com foursquare.com swarmapp.com yelp.com tripadvisor.com
      gab.com gettr.com parler.com truthsocial.com minds.com mewe.com nextdoor.com clubhouse.com
      discord.com discord.gg slack.com plus.google.com plus.url.google.com groups.google.com stackoverflow.com
      stackexchange.com serverfault.com superuser.com producthunt.com indiehackers.com linktr.ee lnk.bio
      wattpad.com vsco.co bereal.com lemmy.world lemon8-app.com sharechat.com kooapp.com ravelry.com
      android-app:com.facebook.katana android-app:com.linkedin.android android-app:com.twitter.android
      android-app:com.instagram.android android-app:com.pinterest android-app:org.telegram.messenger
      android-app:com.reddit.frontpage`,
    aliases: "fb ig meta insta tw x tiktok vk hackernews hn",
  },
  shopping: {
    names: `amazon ebay etsy aliexpress alibaba walmart shopify shopzilla bizrate pricegrabber idealo
      kelkoo mercadolibre mercadolivre rakuten shopee lazada allegro zalando otto wish temu shein bol cdiscount
      pricerunner geizhals skroutz ceneo heureka preisvergleich guenstiger twenga nextag flipkart myntra
      snapdeal newegg wayfair overstock taobao tmall`,
    domains: `shopping.google.com shopping.yahoo.com shop.app jd.com pinduoduo.com 1688.com target.com bestbuy.com
      costco.com homedepot.com lowes.com macys.com kohls.com nordstrom.com sears.com kmart.com
      billiger.de check24.de preis.de kaufland.de mediamarkt.de argos.co.uk john-lewis.com johnlewis.com
      fnac.com darty.com leguide.com prisjakt.nu prisjagt.dk hinta.fi kupujemprodajem.com emag.ro n11.com
      hepsiburada.com trendyol.com ozon.ru wildberries.ru market.yandex.ru coupang.com gmarket.co.kr 11st.co.kr
      kakaku.com shopping.yahoo.co.jp mercari.com poshmark.com depop.com vinted.com reverb.com stockx.com
      groupon.com slickdeals.net mydealz.de hotukdeals.com dealabs.com pepper.com ozbargain.com.au retailmenot.com
      honey.com joinhoney.com camelcamelcamel.com tokopedia.com bukalapak.com jumia.com takealot.com noon.com
      android-app:com.amazon.mshop.android.shopping`,
    aliases: "google-shopping googleshopping google_shopping shop.app",
  },
  video: {
    names: "youtube vimeo twitch netflix dailymotion",
    domains: `youtu.be youtube-nocookie.com disneyplus.com hulu.com max.com hbomax.com primevideo.com crunchyroll.com
      bilibili.com b23.tv iqiyi.com youku.com v.qq.com nicovideo.jp rutube.ru odysee.com rumble.com bitchute.com
      peertube.tv wistia.com wistia.net loom.com vidyard.com brightcove.com jwplayer.com metacafe.com veoh.com
      ted.com crackle.com tubitv.com pluto.tv plex.tv peacocktv.com paramountplus.com sling.com fubo.tv roku.com
      kick.com trovo.live dlive.tv streamable.com vevo.com viki.com arte.tv zdf.de ard.de
      android-app:com.google.android.youtube`,
    aliases: "yt you-tube",
  },
  ai: {
    names: "chatgpt perplexity copilot gemini claude deepseek grok",
    domains: `chat.openai.com openai.com gemini.google.com bard.google.com notebooklm.google.com claude.ai
      copilot.microsoft.com copilot.cloud.microsoft perplexity.ai deepseek.com chat.deepseek.com grok.com x.ai
      meta.ai mistral.ai chat.mistral.ai poe.com phind.com pi.ai character.ai kimi.com kimi.moonshot.cn
      doubao.com chat.qwen.ai tongyi.aliyun.com yiyan.baidu.com ernie.baidu.com huggingface.co
      chat.z.ai iask.ai andisearch.com felo.ai genspark.ai liner.com duck.ai manus.im
      android-app:com.openai.chatgpt android-app:ai.perplexity.app.android`,
    aliases: "openai bard meta-ai mistral poe",
  },
};

/** Parts of such sites that are something else. */
export const NOT_SITES: ReadonlySet<string> = new Set(
  "aws.amazon.com aws.amazon.cn developer.amazon.com mail.ru developers.facebook.com".split(" "),
);
