import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema } from "../../../internal/gen/footfall/event/v1/event_pb.js";
import { hex16, uuidV7 } from "../../../internal/simulate/ids.ts";
import { Random, Weighted } from "../../../internal/simulate/random.ts";

/** Of a site with one public: many views a visitor, few sources. */
export interface SiteOptions {
  readonly views: number;
  readonly visitors: number;
  readonly fromMs: number;
  readonly days: number;
}

const DAY_MS = 86_400_000;
/** Nobody begins a visit later: none is cut by the midnights of Berlin, so that both sides count the same visits. */
const AWAKE_MS = 22 * 3_600_000;
const LONGEST_VISIT_MS = 3_600_000;
const SEED = 18;
const ORIGIN = "https://www.magazine.example";
const PAGES = 2_000;
/** Views of a visit, on average. */
const MEAN_VIEWS = 5;
/** Between two views, ms, on average. */
const MEAN_PAUSE_MS = 40_000;

/** What the first view of a visit came from, and the parameters of its url. */
const SOURCES = new Weighted<readonly [referrer: string, query: string]>([
  [["", ""], 45],
  [["https://www.google.com/", ""], 24],
  [["https://www.bing.com/", ""], 7],
  [["https://duckduckgo.com/", ""], 5],
  [["https://t.co/a1b2", ""], 5],
  [["https://www.facebook.com/", ""], 4],
  [["https://news.ycombinator.com/item", ""], 3],
  [["", "?utm_source=newsletter&utm_medium=email&utm_campaign=weekly"], 3],
  [["https://old.reddit.com/r/all", ""], 2],
  [["https://www.linkedin.com/feed/", ""], 1],
  [["https://partner.example/links", ""], 1],
]);

const BROWSERS = new Weighted([
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    45,
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    30,
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", 15],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    10,
  ],
]);

/** Who comes, the same each time. */
interface Visitor {
  readonly id: string;
  readonly userAgent: string;
}

/** The page views of a site, day by day, each day's in the order of time; the same for the same options. */
export function* siteDays({ views, visitors, fromMs, days }: SiteOptions): Generator<Event[]> {
  const random = new Random(SEED, views, visitors);
  const people = Array.from(
    { length: visitors },
    (): Visitor => ({
      id: `visitor-${hex16(random)}`,
      userAgent: BROWSERS.pick(random),
    }),
  );
  let visits = 0;
  let made = 0;
  for (let day = 1; day <= days; day++) {
    const due = Math.round((views * day) / days);
    const events: Event[] = [];
    while (made < due) {
      // Everybody comes once before anybody is drawn.
      const visitor = people[visits < visitors ? visits : random.below(visitors)]!;
      const startMs = fromMs + (day - 1) * DAY_MS + random.below(AWAKE_MS);
      visits++;
      const visit = visitOf(visitor, startMs, random).slice(0, due - made);
      made += visit.length;
      events.push(...visit);
    }
    yield events.sort((a, b) => timeOf(a) - timeOf(b));
  }
}

function visitOf(visitor: Visitor, startMs: number, random: Random): Event[] {
  const sessionId = `visit-${hex16(random)}`;
  const [source, query] = SOURCES.pick(random);
  const events: Event[] = [];
  let at = startMs;
  let referrer = source;
  do {
    const path = pathOf(random);
    const url = `${ORIGIN}${path}${events.length === 0 ? query : ""}`;
    events.push(pageView(visitor, { sessionId, at, url, referrer }, random));
    referrer = url;
    at += Math.ceil(random.exponential(MEAN_PAUSE_MS));
  } while (random.chance(1 - 1 / MEAN_VIEWS) && at < startMs + LONGEST_VISIT_MS);
  return events;
}

/** A few are read often, most seldom. */
function pathOf(random: Random): string {
  const page = Math.floor(random.unit() ** 2.5 * PAGES);
  return page === 0 ? "/" : `/articles/${page % 12}/story-${page}`;
}

interface View {
  readonly sessionId: string;
  readonly at: number;
  readonly url: string;
  readonly referrer: string;
}

function pageView({ id, userAgent }: Visitor, { sessionId, at, url, referrer }: View, random: Random): Event {
  return create(EventSchema, {
    ...{ eventId: uuidV7(at, random), name: "page_view", clientTime: timestampFromMs(at) },
    ...{ visitorId: id, sessionId, url, referrer, userAgent, language: "de-DE", sdk: "bench/1" },
  });
}

export function timeOf({ clientTime }: Event): number {
  return Number(clientTime!.seconds) * 1_000 + clientTime!.nanos / 1e6;
}
