import { expect } from "vitest";
import { CHROME, midnight, type Trial } from "../shop.ts";

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";
const agents = (...list: string[]) => list.map((userAgent) => ({ userAgent }));

const MACHINES = [
  `Mozilla/5.0 ${WEBKIT.replace(")", "; compatible; Amzn-User/0.1)")} Chrome/119.0.6045.214 Safari/537.36`,
  `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/117.0.0.0 Safari/537.36 GTmetrix`,
  "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) HLB/1.247",
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/60.0.3122.113 Safari/537.36 Assetnote/1.0.0`,
  `Mozilla/5.0 (X11; Linux x86_64) Miniature.io/6.0 ${WEBKIT} QtWebEngine/5.12.4 Chrome/69.0.3497.128 Safari/537.36`,
  `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_6) ${WEBKIT} YLT Chrome/85.0.4183.121 Safari/537.36`,
];

const PEOPLE = [
  "Mozilla/5.0 (Linux; U; Android 4.2.2; it-it; S222 Build/CUBOT) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
  `Mozilla/5.0 (Linux; Android 7.0; M bot 54) ${WEBKIT} Chrome/78.0.3904.96 Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 4.2.1; Discovery DG500 Build/JOP40D) ${WEBKIT} Chrome/34.0.1847.114 Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux armv7l) ${WEBKIT} Chrome/84.0.4147.140 Safari/537.36 OPR/46.0.2207.0 OMI/4.21.4.112.Catcher4.49 Model/Hisense-MT9602 VIDAA/5.0(Hisense;SmartTV;50A6BG;MTK9602/V0000.01.00S.L1206;HE50A6)`,
  `Mozilla/5.0 (Linux; Android 10; M40SE Build/QP1A.190711.020; wv) ${WEBKIT} Version/4.0 Chrome/80.0.3987.132 Safari/537.36 SogouMSE,SogouMobileBrowser/6.1.5`,
  `Mozilla/5.0 (Linux; Android 7.0; Superion Radar Deluxe Build/NRD90M) ${WEBKIT} Chrome/61.0.3163.98 Mobile Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 11; OK Google TV Build/RTM7.230903.015; wv) ${WEBKIT} Version/4.0 Chrome/129.0.6668.100 Mobile Safari/537.36`,
];

const TELEVISIONS = [
  `Mozilla/5.0 (Linux; Android 9; AFTKA Build/PS7633; wv) ${WEBKIT} Silk/126.3.1 like Chrome/126.0.6478.134 Safari/537.36`,
  `Mozilla/5.0 (Linux; Android 12; BRAVIA VH2 Build/SKT1.230118.001) ${WEBKIT} Chrome/120.0.6099.144 Safari/537.36 OPR/46.0.2207.0 OMI/4.24`,
  `Mozilla/5.0 (Linux; Android 12.0; Build/STTL.240206.002) ${WEBKIT} Chrome/125.0.0.0 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV`,
  `Mozilla/5.0 (Linux; Android 11; 43LF7202T Build/RP1A.200720.011; wv) ${WEBKIT} Version/4.0 Chrome/83.0.4103.120 YaBrowser/24.12.0.453 (lite) Safari/537.36 TV`,
];

/** Rows of people and of bots. */
const VERDICTS = `SELECT count(*) FILTER (WHERE is_bot)::int AS bots,
  count(*) FILTER (WHERE NOT is_bot)::int AS people FROM events WHERE merchant_id = $1`;

/** Who is a person, and on what. */
export const PERSONS: readonly Trial[] = [
  {
    title: "monitors, fetchers and scanners that look like browsers are bots",
    reported:
      "monperrus/crawler-user-agents; matomo-org/device-detector, bots.yml: both lists call them bots",
    send: async (shop) => void (await shop.view(...agents(...MACHINES))),
    check: async (shop) => expect(await shop.rows(VERDICTS)).toEqual([{ bots: 6, people: 0 }]),
  },
  {
    title: "phones, televisions and browsers with a crawler's word in their name are people's",
    reported: "matomo-org/device-detector's fixtures; oalders/http-browserdetect#136",
    send: async (shop) => void (await shop.view(...agents(...PEOPLE))),
    check: async (shop) => expect(await shop.rows(VERDICTS)).toEqual([{ bots: 0, people: 7 }]),
  },
  {
    title: "a Chromebook is a desktop with Chrome OS",
    reported: "matomo-org/device-detector, desktop.yml; GA4",
    send: async (shop) =>
      void (await shop.view(
        ...agents(`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/141.0.0.0 Safari/537.36`),
      )),
    check: async (shop) => {
      expect(await shop.by("device_type")).toEqual({ desktop: 1 });
      expect(await shop.by("os")).toEqual({ "Chrome OS": 1 });
    },
  },
  {
    title: "Fire TV, BRAVIA, Chromecast and Yandex TV are televisions",
    reported: "matomo-org/device-detector, tv*.yml: the agents name themselves",
    send: async (shop) => void (await shop.view(...agents(...TELEVISIONS))),
    check: async (shop) => expect(await shop.by("device_type")).toEqual({ tv: 4 }),
  },
  {
    title: "a visitor without an id who crosses midnight and buys is one visitor, one visit, one campaign",
    reported: "plausible/analytics#224; umami-software/umami#2228; arp242/goatcounter#653",
    send: async (shop) => {
      const time = (minutes: number) => new Date(midnight(0) + minutes * 60_000).toISOString();
      const visitor = { userAgent: CHROME, ip: "203.0.113.5" };
      const [home, page] = ["https://shop.example/", "https://shop.example/p"];
      const landing = `${home}?utm_source=shopnews&utm_medium=email`;
      const order = { id: "o1", revenueMicros: "50000000" };
      const { body } = await shop.send([
        { ...visitor, name: "page_view", url: landing, clientTime: time(-10) },
        { ...visitor, name: "page_view", url: page, referrer: home, clientTime: time(-2) },
        { ...visitor, name: "purchase", url: page, referrer: page, order, clientTime: time(3) },
      ]);
      expect(body.accepted).toBe(3);
    },
    check: async (shop) => {
      expect([await shop.total("sessions"), await shop.total("visitors")]).toEqual([1, 1]);
      expect(await shop.by("channel", "orders")).toEqual({ Email: 1 });
    },
  },
];
