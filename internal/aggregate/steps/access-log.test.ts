import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type TestEvent, testBatch } from "../../../test/kit/batches.ts";
import { sharedData } from "../../../test/kit/shared-data.ts";
import { testContext } from "../../../test/kit/step-context.ts";
import { BatchView } from "../../event/batch-view.ts";
import { open } from "../../event/seal.ts";
import { DEVICE_COLUMNS, PAGE_COLUMNS, PLACE_COLUMNS, SOURCE_COLUMNS } from "../../store/event-columns.ts";
import { openGeoDatabase } from "../geo-database.ts";
import { process } from "./process.ts";
import type { DerivingTexts, StepContext } from "./step.ts";

const LOG = sharedData("access.log");
const SITE = "http://semicomplete.com";

/** A line of the log, cut by this test itself, and what the steps say of it. */
interface Line {
  readonly ip: string;
  readonly request: string;
  readonly referrer: string;
  readonly agent: string;
  isBot: boolean;
  device: Record<string, string | null>;
  place: Record<string, string | null>;
  source: Record<string, string | null>;
  page: Record<string, string | null>;
  /** What the step says of the referrer, as if it were the page. */
  cameFrom: Record<string, string | null>;
}

let lines: Line[];
beforeAll(async () => {
  if (LOG !== undefined) lines = await readLines();
});

/** The 9,999 lines that end with a quote, as awk -F'"' cuts them. */
async function readLines(): Promise<Line[]> {
  const cut = readFileSync(LOG!, "utf8")
    .split("\n")
    .filter((line) => line.endsWith('"'));
  const found = cut.map((line) => {
    const [start, request, , referrer, , agent] = line.split('"') as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    return { ip: start.split(" ")[0]!, request, referrer, agent } as Line;
  });
  const absent = (text: string) => (text === "-" ? "" : text);
  const events = found.map(({ ip, request, referrer, agent }) => {
    const path = request.split(" ")[1]!;
    const url = path.startsWith("/") ? SITE + path : "";
    return { merchantId: 1, time: 1, ip, url, referrer: absent(referrer), userAgent: absent(agent) };
  });
  const placeOf = await openGeoDatabase(undefined);
  const derived = derive(events, { placeOf });
  const fromReferrers = derive(
    events.map(({ referrer }) => ({ merchantId: 1, time: 1, url: referrer })),
    { placeOf },
  );
  return found.map((line, row) => ({
    ...line,
    isBot: derived.isBot[row] === 1,
    device: textsOf(derived.device, DEVICE_COLUMNS, row),
    place: textsOf(derived.place, PLACE_COLUMNS, row),
    source: textsOf(derived.source, SOURCE_COLUMNS, row),
    page: textsOf(derived.page, PAGE_COLUMNS, row),
    cameFrom: textsOf(fromReferrers.page, PAGE_COLUMNS, row),
  }));
}

function derive(events: readonly TestEvent[], context: Partial<StepContext>) {
  const { sealed, batch } = open(testBatch(events, { partition: 0 }).bytes);
  return process(new BatchView(sealed!.batchId, batch!), testContext(context));
}

function textsOf({ keys, texts }: DerivingTexts, columns: readonly string[], row: number) {
  const own = texts[keys?.[row] ?? 0];
  return Object.fromEntries(columns.map((column, at) => [column, own?.[at] ?? null]));
}

const count = (test: (line: Line) => boolean) => lines.filter(test).length;
/** How many lines a pattern picks, and for how many of those a step said what it should. */
const agreement = (pattern: RegExp, field: "agent" | "referrer" | "ip", test: (line: Line) => boolean) => {
  const picked = lines.filter((line) => pattern.test(line[field]));
  return [picked.length, picked.filter(test).length];
};

// W: grep '"$' access.log; the agent is awk -F'"' '{ print $6 }' of it, the referrer $4, the address the first word.
describe.skipIf(LOG === undefined)("the real log", () => {
  test("bots: all of the lines of well-known crawlers, feed readers and tools, and of no agent", () => {
    const named =
      /Googlebot|bingbot|YandexBot|Baiduspider|msnbot|AhrefsBot|Yahoo! Slurp|Sogou web spider|Feedly|UniversalFeedParser|Tiny Tiny RSS|facebookexternalhit|Twitterbot|YandexImages|MJ12bot|DotBot|SEOkicks|Exabot|CCBot|Wget\/|curl\/|^Java\/|python-requests|Python-urllib|^Ruby/;
    // grep -cE 'Googlebot|bingbot|...': 1,750; grep -c '^-$': 190.
    expect(agreement(named, "agent", ({ isBot }) => isBot)).toEqual([1_750, 1_750]);
    expect(agreement(/^-$/, "agent", ({ isBot }) => isBot)).toEqual([190, 190]);
  });

  test("bots: none of the lines of the usual browsers in their usual form", () => {
    // grep -cE '^Mozilla/5\.0 \((Windows NT|Macintosh|X11)[^)]*\) (Gecko/[0-9.]+ Firefox/[0-9.]+|AppleWebKit/...)$': 5,334.
    const usual =
      /^Mozilla\/5\.0 \((Windows NT|Macintosh|X11)[^)]*\) (Gecko\/[0-9.]+ Firefox\/[0-9.]+|AppleWebKit\/[0-9.]+ \(KHTML, like Gecko\) Chrome\/[0-9.]+ Safari\/[0-9.]+)$/;
    expect(agreement(usual, "agent", ({ isBot }) => !isBot)).toEqual([5_334, 5_334]);
    // grep -c chromeframe: 91; feature phones, grep -c MAUI: 19. Browsers of people.
    expect(agreement(/chromeframe/, "agent", ({ isBot }) => !isBot)).toEqual([91, 91]);
    expect(agreement(/MAUI/, "agent", ({ isBot }) => !isBot)).toEqual([19, 19]);
    // isbot alone took 3,009: these, a "Maui Browser" and one Internet Explorer with a maker's address among them. It
    // missed one that ends with "slurp".
    expect(count(({ isBot }) => isBot)).toBe(3_009 - 91 - 19 - 2 + 1);
  });

  const people = (pattern: RegExp, column: string, value: RegExp) =>
    agreement(pattern, "agent", ({ isBot, device }) => isBot || value.test(device[column] ?? ""));

  test("device: browsers, by grep over agents; those that differ are browsers built on another", () => {
    expect(people(/Firefox\//, "browser", /^(Firefox|SeaMonkey|Pale Moon)$/)).toEqual([2_776, 2_776]);
    expect(
      people(
        /Chrome\//,
        "browser",
        /^(Chrome|Chromium|Android WebView|Opera|Amazon Silk|Maxthon|Sogou Browser)$/,
      ),
    ).toEqual([3_172, 3_172]);
    expect(people(/MSIE |Trident\//, "browser", /^(Internet Explorer|Opera|Maxthon)$/)).toEqual([588, 588]);
    expect(people(/^Opera/, "browser", /^Opera( Mini)?$/)).toEqual([90, 90]);
    expect(people(/^Opera.*Opera Mini/, "browser", /^Opera Mini$/)).toEqual([13, 13]);
  });

  test("device: operating systems and types, by grep over agents", () => {
    expect(people(/Windows NT/, "os", /^Windows$/)).toEqual([3_308, 3_308]);
    expect(people(/Macintosh/, "os", /^macOS$/)).toEqual([1_410, 1_410]);
    expect(people(/Android/, "os", /^Android$/)).toEqual([187, 187]);
    expect(people(/iPhone|iPad|iPod/, "os", /^iOS$/)).toEqual([419, 419]);
    expect(people(/iPad/, "device_type", /^tablet$/)).toEqual([61, 61]);
    expect(people(/iPhone/, "device_type", /^mobile$/)).toEqual([358, 358]);
    expect(people(/Windows NT|Macintosh|X11; (Ubuntu; )?Linux/, "device_type", /^desktop$/)).toEqual([
      6_716, 6_716,
    ]);
  });

  test("device: versions, for each of the most frequent", () => {
    const versions = (browser: string, pattern: RegExp) =>
      lines.every(({ isBot, agent, device }) => {
        const major = pattern.exec(agent)?.[1];
        return isBot || major === undefined || device.browser !== browser || device.browser_version === major;
      });
    expect(versions("Firefox", /Firefox\/(\d+)/)).toBe(true);
    expect(versions("Chrome", /Chrome\/(\d+)/)).toBe(true);
    expect(versions("Internet Explorer", /MSIE (\d+)/)).toBe(true);
  });

  test("geo: networks whose country is known otherwise", () => {
    // grep -cE '^66\.249\.' ...: Google; OVH in Roubaix; Stockholm's university; Hetzner; China Telecom.
    const in_ = (pattern: RegExp, country: string) =>
      agreement(pattern, "ip", ({ place }) => place.country === country);
    expect(in_(/^66\.249\./, "US")).toEqual([572, 572]);
    expect(in_(/^46\.105\.14\.53$/, "FR")).toEqual([364, 364]);
    expect(in_(/^130\.237\.218\.86$/, "SE")).toEqual([357, 357]);
    expect(in_(/^144\.76\./, "DE")).toEqual([70, 70]);
    expect(in_(/^218\.30\.103\./, "CN")).toEqual([18, 18]);
    const places = new Map(lines.map(({ ip, place }) => [ip, place.country]));
    expect(places.size).toBe(1_753);
    expect([...places.values()].filter((country) => country === null)).toHaveLength(2);
    expect(lines.every(({ place }) => place.region === null && place.city === null)).toBe(true);
  });

  /** How many lines have each value, the most frequent ones, and how many values there are. */
  const top = (values: readonly (string | null)[], limit: number) => {
    const groups = [...Map.groupBy(values, (value) => value)].map(
      ([value, all]) => [value, all.length] as const,
    );
    const largest = groups.toSorted((a, b) => b[1] - a[1]).slice(0, limit);
    return { values: groups.filter(([value]) => value !== null).length, top: largest };
  };

  test("page: the paths that were asked for", () => {
    // awk -F'"' '{ split($2, a, " "); p = a[2]; sub(/[?#].*/, "", p); c[p]++ }': 1,368 of 1,498 with their queries.
    expect(
      top(
        lines.map(({ page }) => page.page ?? null),
        8,
      ),
    ).toEqual({
      values: 1_368,
      top: [
        ["/favicon.ico", 807],
        ["/", 575],
        ["/style2.css", 546],
        ["/reset.css", 538],
        ["/images/jordan-80.png", 533],
        ["/images/web/2009/banner.png", 516],
        ["/blog/tags/puppet", 489],
        ["/projects/xdotool/", 224],
      ],
    });
    expect(lines.filter(({ page }) => page.page === "//favicon.ico")).toHaveLength(1);
    expect(lines.every(({ page }) => page.host === "semicomplete.com")).toBe(true);
  });

  test("page and host of the referrers, which are urls of all the world", () => {
    // awk -F'"' '{ split($4, a, /[\/?#]/); h = tolower(a[3]); sub(/^.*@/, "", h); sub(/:.*/, "", h); c[h]++ }'
    // Of its 154, one is none: three lines have bytes of Windows-1251 in their place, which the server escaped.
    expect(
      top(
        lines.map(({ cameFrom }) => cameFrom.host ?? null),
        7,
      ),
    ).toEqual({
      values: 153,
      top: [
        [null, 4_075],
        ["www.semicomplete.com", 3_038],
        ["semicomplete.com", 2_001],
        ["www.google.com", 228],
        ["www.google.fr", 46],
        ["www.google.co.uk", 37],
        ["stackoverflow.com", 34],
      ],
    });
    // ... '{ r = $4; sub(/^[^:]*:\/\//, "", r); sub(/[?#].*/, "", r); i = index(r, "/"); c[i ? substr(r, i) : "/"]++ }'
    expect(
      top(
        lines.map(({ cameFrom }) => cameFrom.page ?? null),
        6,
      ),
    ).toEqual({
      values: 259,
      top: [
        [null, 4_072],
        ["/", 718],
        ["/presentations/logstash-puppetconf-2012/", 689],
        ["/projects/xdotool/", 658],
        ["/presentations/logstash-scale11x/", 406],
        ["/articles/dynamic-dns-with-dhcp/", 335],
      ],
    });
  });

  test("source: own pages, direct visits, search engines, referrals and campaigns", () => {
    const campaign = ({ request }: Line) => request.includes("utm_");
    // grep -c 'utm_' over requests: 153.
    expect(count(campaign)).toBe(153);
    expect(count((line) => campaign(line) && line.source.source === "feedburner")).toBe(153);
    expect(count(({ source }) => source.medium === "feed" && source.channel === "Unassigned")).toBe(153);
    const rest = (pattern: RegExp, test: (source: Line["source"]) => boolean) => {
      const picked = lines.filter((line) => !campaign(line) && pattern.test(line.referrer));
      return [picked.length, picked.filter(({ source }) => test(source)).length];
    };
    // awk -F'"' '$2 !~ /utm_/ { print $4 }', and then grep -cE each pattern.
    expect(rest(/^https?:\/\/(www\.)?semicomplete\.com/, ({ channel }) => channel === null)).toEqual([
      5_039, 5_039,
    ]);
    expect(
      rest(
        /^-$/,
        ({ channel, source, medium }) => `${channel} ${source} ${medium}` === "Direct (direct) (none)",
      ),
    ).toEqual([3_919, 3_919]);
    const google = /^https?:\/\/(www|encrypted)\.google\.[a-z.]+\//;
    expect(
      rest(
        google,
        ({ channel, source, medium }) => `${channel} ${source} ${medium}` === "Organic Search google organic",
      ),
    ).toEqual([572, 572]);
    expect(rest(/^https?:\/\/(r\.)?duckduckgo\.com/, ({ source }) => source === "duckduckgo")).toEqual([
      14, 14,
    ]);
    expect(
      rest(
        /^https?:\/\/(t\.co|stackoverflow\.com|[a-z]+\.stackexchange\.com)\//,
        ({ channel }) => channel === "Organic Social",
      ),
    ).toEqual([46, 46]);
    expect(
      rest(
        /^https?:\/\/(www\.)?(s-chassis\.co\.nz|logstash\.net|tuxradar\.com)/,
        ({ channel }) => channel === "Referral",
      ),
    ).toEqual([94, 94]);
    expect(count(({ source }) => source.source === "s-chassis.co.nz" && source.medium === "referral")).toBe(
      51,
    );
  });
});
