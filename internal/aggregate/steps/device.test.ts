import { describe, expect, test } from "vitest";
import { testBatch } from "../../../test/kit/batches.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { process } from "./process.ts";

/** Browser, version, system and type of an agent. */
function deviceOf(userAgent: string): readonly (string | null)[] {
  return columnsOf(userAgent).slice(0, 4);
}

function columnsOf(userAgent: string): readonly (string | null)[] {
  const { sealed, batch } = open(testBatch([{ merchantId: 1, time: 1, userAgent }], { partition: 0 }).bytes);
  const { device } = process(new BatchView(sealed!.batchId, batch!), testContext());
  return device.texts[device.keys![0]!]!;
}

const android = (comment: string, rest: string) =>
  `Mozilla/5.0 (Linux; Android ${comment}) AppleWebKit/537.36 (KHTML, like Gecko) ${rest}`;
const webView = (rest: string) =>
  android(
    "14; SM-S918B Build/UP1A.231005.007; wv",
    `Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 ${rest}`,
  );
const iPhone = (rest: string) =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 ${rest}`;

// The types are those of device-detector's fixtures; the agents name themselves.
describe("televisions", () => {
  test.each([
    [
      android("9; AFTKA Build/PS7633; wv", "Silk/126.3.1 like Chrome/126.0.6478.134 Safari/537.36"),
      "Amazon Silk",
      "Fire OS",
    ],
    [
      android(
        "12; BRAVIA VH2 Build/SKT1.230118.001",
        "Chrome/120.0.6099.144 Safari/537.36 OPR/46.0.2207.0 OMI/4.24",
      ),
      "Opera",
      "Android TV",
    ],
    [
      android(
        "12.0; Build/STTL.240206.002",
        "Chrome/125.0.0.0 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV",
      ),
      "Chrome",
      "Android TV",
    ],
    [
      android(
        "11; 43LF7202T Build/RP1A.200720.011; wv",
        "Version/4.0 Chrome/83.0.4103.120 YaBrowser/24.12.0.453 (lite) Safari/537.36 TV",
      ),
      "Yandex Browser",
      "Android",
    ],
    [
      android(
        "11; OK Google TV Build/RTM7.230903.015; wv",
        "Version/4.0 Chrome/129.0.6668.100 Mobile Safari/537.36",
      ),
      "Android WebView",
      "Android TV",
    ],
    [
      "Mozilla/5.0 (Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/84.0.4147.140 Safari/537.36 OPR/46.0.2207.0 OMI/4.21.4.112.Catcher4.49 Model/Hisense-MT9602 VIDAA/5.0(Hisense;SmartTV;50A6BG)",
      "Opera",
      "VIDAA",
    ],
    [
      "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/2.2 Chrome/63.0.3239.84 TV Safari/537.36",
      "Samsung Internet",
      "Tizen",
    ],
    [
      "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
      "WebOS Browser",
      "webOS",
    ],
    ["AppleTV6,2/11.1", null, "tvOS"],
  ])("%s", (agent, browser, os) => {
    const device = deviceOf(agent);
    expect([device[0], device[2], device[3]]).toEqual([browser, os, "tv"]);
  });
});

describe("browsers within apps, and those of phones' makers", () => {
  test.each([
    [
      webView("Instagram 340.0.0.22.109 Android (34/14; 480dpi; 1080x2340; samsung; SM-S918B)"),
      "Instagram",
      "340",
    ],
    [iPhone("Instagram 339.0.3.12.91 (iPhone14,2; iOS 17_5; en_US)"), "Instagram", "339"],
    [webView("[FB_IAB/FB4A;FBAV/470.0.0.40.95;]"), "Facebook", null],
    [iPhone("[FBAN/FBIOS;FBAV/470.0.0.40.95;FBDV/iPhone14,2]"), "Facebook", null],
    [webView("musical_ly_2023005030 JsSdk/1.0 NetType/WIFI BytedanceWebview/d8a21c6"), "TikTok", null],
    [webView("MMWEBID/1 MicroMessenger/8.0.49.2600 WeChat/arm64 Weixin"), "WeChat", "8"],
    [iPhone("Safari Line/14.8.0"), "Line", "14"],
    [iPhone("GSA/327.0.649 Safari/604.1"), "Google app", "327"],
    [iPhone("[Pinterest/iOS]"), "Pinterest", null],
    [iPhone("[LinkedInApp]/9.29.7462"), "LinkedIn", "9"],
    [
      android(
        "10; M2 Build/X; wv",
        "Version/4.0 Chrome/80.0.3987.132 Mobile Safari/537.36 SogouMSE,SogouMobileBrowser/6.1.5",
      ),
      "Sogou Mobile Browser",
      "6",
    ],
    [
      android(
        "13; 2201",
        "Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.9.1-gn",
      ),
      "Mi Browser",
      "14",
    ],
    [
      android(
        "12; HarmonyOS; NOH-AN00; HMSCore 6.14.0",
        "Chrome/114.0.5735.196 HuaweiBrowser/15.0.4.312 Mobile Safari/537.36",
      ),
      "Huawei Browser",
      "15",
    ],
    [
      android("14; SAMSUNG SM-S918B", "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"),
      "Samsung Internet",
      "25",
    ],
    [webView(""), "Android WebView", "126"],
    [android("14; SM-S918B", "Chrome/126.0.0.0 Mobile Safari/537.36"), "Chrome", "126"],
  ])("%s", (agent, browser, version) => {
    const device = deviceOf(agent);
    expect([device[0], device[1], device[3]]).toEqual([browser, version, "mobile"]);
  });
});

describe("systems and types", () => {
  const DESKTOP = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
  test.each([
    [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${DESKTOP}`, "Chrome OS", "desktop"],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${DESKTOP}`, "Windows", "desktop"],
    [`Mozilla/5.0 (windows nt 10.0; win64; x64) ${DESKTOP.toLowerCase()}`, "Windows", "desktop"],
    [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${DESKTOP}`, "macOS", "desktop"],
    [`Mozilla/5.0 (X11; Linux x86_64) ${DESKTOP}`, "Linux", "desktop"],
    [
      "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
      "iOS",
      "tablet",
    ],
    [android("13; SM-X700", "Chrome/126.0.0.0 Safari/537.36"), "Android", "tablet"],
    [android("13; SM-X700; wv", "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36"), "Android", "tablet"],
    [android("9; KFMAWI", "Silk/126.3.1 like Chrome/126.0.6478.134 Safari/537.36"), "Fire OS", "tablet"],
    ["Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", "KaiOS", "mobile"],
    [
      "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
      "Windows Phone",
      "mobile",
    ],
    [
      "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; U; en) Presto/2.5.25 Version/10.54",
      null,
      "mobile",
    ],
    ["Dalvik/2.1.0 (Linux; U; Android 13; SM-S918B Build/TP1A.220624.014)", "Android", "mobile"],
    [
      "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
      "PlayStation",
      "other",
    ],
    [
      "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/601.6 (KHTML, like Gecko) NF/4.0.0.7.9 NintendoBrowser/5.1.0.15785",
      "Nintendo",
      "other",
    ],
    [
      `Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/33.0.0 SamsungBrowser/4.0 Chrome/126.0.0.0 VR Safari/537.36`,
      "Meta Horizon",
      "other",
    ],
    [android("7.0; QUMO Quest 402", "Chrome/71.0.3578.99 Mobile Safari/537.36"), "Android", "mobile"],
  ])("%s", (agent, os, type) => {
    const device = deviceOf(agent);
    expect([device[2], device[3]]).toEqual([os, type]);
  });
});

// As the agents say it, and as Microsoft's page of versions names Windows.
test.each([
  [webView(""), "14"],
  [iPhone("Safari/604.1"), "17.5"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "10"],
  ["Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Firefox/52.0", "7"],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15",
    "10.15",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", null],
])("%s: the system's version is %s", (agent, version) => expect(columnsOf(agent)[4]).toBe(version));
