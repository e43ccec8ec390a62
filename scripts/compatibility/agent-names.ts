import type { FixtureDevice } from "./agent-fixtures.ts";

// What device-detector's names are called here. Where it is finer (Lineage OS, Opera Devices), the family is right.

const TYPES: Readonly<Record<string, string>> = {
  smartphone: "mobile",
  phablet: "mobile",
  "feature phone": "mobile",
  tablet: "tablet",
  tv: "tv",
  desktop: "desktop",
};

/** The type of a device: what is none of the four is other. */
export function deviceTypeOf(type: string): string {
  return TYPES[type] ?? "other";
}

const SYSTEMS: Readonly<Record<string, readonly string[]>> = {
  Android: ["Android", "Android TV"],
  "Android TV": ["Android TV", "Android"],
  "Google TV": ["Android TV"],
  "Wear OS": ["Android"],
  MocorDroid: ["Android"],
  CyanogenMod: ["Android"],
  "Lineage OS": ["Android"],
  "Fire OS": ["Fire OS"],
  HarmonyOS: ["HarmonyOS"],
  iOS: ["iOS"],
  iPadOS: ["iOS"],
  watchOS: ["watchOS"],
  tvOS: ["tvOS"],
  Mac: ["macOS"],
  Windows: ["Windows"],
  "Windows RT": ["Windows"],
  "Windows Phone": ["Windows Phone"],
  "GNU/Linux": ["Linux"],
  Ubuntu: ["Linux"],
  Debian: ["Linux"],
  "Opera TV": ["Linux"],
  "TiVo OS": ["Linux"],
  "Chrome OS": ["Chrome OS"],
  "Chromium OS": ["Chrome OS"],
  KaiOS: ["KaiOS"],
  webOS: ["webOS"],
  VIDAA: ["VIDAA"],
  Tizen: ["Tizen"],
  "Roku OS": ["Roku OS"],
  Bada: ["Bada"],
  "BlackBerry OS": ["BlackBerry"],
  PlayStation: ["PlayStation"],
  Nintendo: ["Nintendo"],
  "Meta Horizon": ["Meta Horizon"],
};

/** The names that are right; undefined for a system that Footfall has no name for. */
export function systemOf({ os }: FixtureDevice): readonly string[] | undefined {
  return SYSTEMS[os ?? ""];
}

const BROWSERS: Readonly<Record<string, readonly string[]>> = {
  "Chrome Mobile": ["Chrome"],
  Chrome: ["Chrome"],
  "Chrome Mobile iOS": ["Chrome"],
  "Chrome Webview": ["Android WebView"],
  "Android Browser": ["Android Browser"],
  "Mobile Safari": ["Safari"],
  Safari: ["Safari"],
  Firefox: ["Firefox"],
  "Firefox Mobile": ["Firefox"],
  Opera: ["Opera"],
  "Opera Mobile": ["Opera"],
  "Opera Devices": ["Opera"],
  "Opera GX": ["Opera"],
  "Opera Mini": ["Opera Mini"],
  "Yandex Browser": ["Yandex Browser"],
  "Yandex Browser Lite": ["Yandex Browser"],
  "UC Browser": ["UC Browser"],
  "UC Browser Turbo": ["UC Browser"],
  "Samsung Browser": ["Samsung Internet"],
  "Mi Browser": ["Mi Browser"],
  "Huawei Browser Mobile": ["Huawei Browser"],
  "vivo Browser": ["vivo Browser"],
  HeyTapBrowser: ["HeyTap Browser"],
  "QQ Browser": ["QQ Browser"],
  "Sogou Mobile Browser": ["Sogou Mobile Browser"],
  Quark: ["Quark"],
  "Phoenix Browser": ["Phoenix Browser"],
  "Puffin Web Browser": ["Puffin"],
  "Mobile Silk": ["Amazon Silk"],
  "LG Browser": ["WebOS Browser"],
  "IE Mobile": ["Internet Explorer"],
  "Internet Explorer": ["Internet Explorer"],
  "Microsoft Edge": ["Microsoft Edge"],
  Odin: ["Odin"],
  Maxthon: ["Maxthon"],
  Facebook: ["Facebook"],
  "Facebook Lite": ["Facebook"],
  "Facebook Messenger": ["Facebook Messenger"],
  Instagram: ["Instagram"],
  Threads: ["Threads"],
  "Google Search App": ["Google app"],
  WeChat: ["WeChat"],
  Line: ["Line"],
  QQ: ["QQ"],
  TikTok: ["TikTok"],
  Pinterest: ["Pinterest"],
  Snapchat: ["Snapchat"],
  Twitter: ["X"],
  KakaoTalk: ["KakaoTalk"],
  Naver: ["Naver"],
  "Baidu Box App": ["Baidu"],
  "DuckDuckGo Privacy Browser": ["DuckDuckGo"],
};

/** Likewise of a browser, or of an app that shows pages. */
export function browserOf({ browser }: FixtureDevice): readonly string[] | undefined {
  return BROWSERS[browser ?? ""];
}
