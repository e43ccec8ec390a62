import { type Random, Weighted } from "./random.ts";

/** A browser on a machine: what it sends, and the sizes of its screen in CSS pixels. */
export interface Device {
  readonly userAgent: string;
  readonly mobile: boolean;
  readonly screens: readonly (readonly [width: number, height: number])[];
}

const DESKTOP = [
  [1920, 1080],
  [1536, 864],
  [1366, 768],
  [2560, 1440],
  [1440, 900],
] as const;
const APPLE = [
  [390, 844],
  [393, 852],
  [430, 932],
  [375, 667],
] as const;
const ANDROID = [
  [360, 800],
  [412, 915],
  [384, 832],
] as const;
const TABLET = [
  [820, 1180],
  [768, 1024],
] as const;

const KIT = "AppleWebKit/537.36 (KHTML, like Gecko)";
const WINDOWS = "Windows NT 10.0; Win64; x64";
const MAC = "Macintosh; Intel Mac OS X 10_15_7";
const CHROME_VERSIONS = [131, 133, 136, 137, 138, 139, 140, 141];
const ANDROID_PHONES = ["K", "SM-S921B", "SM-A546E", "Pixel 8", "2312DRA50G", "CPH2581", "SM-G991U"];

type Entry = readonly [Device, number];

/** Spreads a weight over versions; the later ones are the commoner. */
function versions<V>(all: readonly V[], weight: number, device: (version: V) => Device): Entry[] {
  const sum = (all.length * (all.length + 1)) / 2;
  return all.map((version, index) => [device(version), (weight * (index + 1)) / sum] as const);
}

const desktop = (userAgent: string): Device => ({ userAgent, mobile: false, screens: DESKTOP });
const phone = (userAgent: string): Device => ({ userAgent, mobile: true, screens: ANDROID });

function chromeOn(system: string, suffix: string, weight: number): Entry[] {
  return versions(CHROME_VERSIONS, weight, (v) =>
    desktop(`Mozilla/5.0 (${system}) ${KIT} Chrome/${v}.0.0.0 Safari/537.36${suffix.replace("?", `${v}`)}`),
  );
}

function safari(head: string, tail: string, screens: Device["screens"], mobile: boolean, weight: number) {
  return versions(["16.6", "17.4", "17.6", "18.1", "18.5"], weight, (v) => ({
    userAgent: `Mozilla/5.0 (${head.replace("?", v.replace(".", "_"))}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${v} ${tail}`,
    mobile,
    screens,
  }));
}

function androidChrome(weight: number): Entry[] {
  return ANDROID_PHONES.flatMap((model) =>
    versions(CHROME_VERSIONS, weight / ANDROID_PHONES.length, (v) =>
      phone(`Mozilla/5.0 (Linux; Android 1${v % 5}; ${model}) ${KIT} Chrome/${v}.0.0.0 Mobile Safari/537.36`),
    ),
  );
}

function firefoxOn(system: string, weight: number): Entry[] {
  return versions([128, 138, 141, 143], weight, (v) =>
    desktop(`Mozilla/5.0 (${system}; rv:${v}.0) Gecko/20100101 Firefox/${v}.0`),
  );
}

const IPHONE = "iPhone; CPU iPhone OS ? like Mac OS X";
const IPAD = "iPad; CPU OS ? like Mac OS X";

/** People's devices, by their share of visits. */
const people = new Weighted<Device>([
  ...safari(IPHONE, "Mobile/15E148 Safari/604.1", APPLE, true, 27),
  ...androidChrome(26),
  ...chromeOn(WINDOWS, "", 18),
  ...chromeOn(MAC, "", 7),
  ...safari(MAC, "Safari/605.1.15", DESKTOP, false, 6),
  ...chromeOn(WINDOWS, " Edg/?.0.0.0", 6),
  ...firefoxOn(WINDOWS, 3),
  ...firefoxOn("X11; Linux x86_64", 1),
  ...safari(IPAD, "Mobile/15E148 Safari/604.1", TABLET, true, 3),
  ...versions(["26.0", "27.0", "28.0"], 2, (v) =>
    phone(
      `Mozilla/5.0 (Linux; Android 10; K) ${KIT} SamsungBrowser/${v} Chrome/130.0.0.0 Mobile Safari/537.36`,
    ),
  ),
]);

const CRAWLERS: readonly string[] = [
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
  "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
  "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
  "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
  "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
  "python-requests/2.32.3",
];

/** A person's device. */
export function personDevice(random: Random): Device {
  return people.pick(random);
}

/** The User-Agent header of a crawler. */
export function crawlerUserAgent(random: Random): string {
  return random.of(CRAWLERS);
}
