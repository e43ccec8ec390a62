import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { END } from "../../storage/load.ts";
import type { Asked } from "../question.ts";

/** The site's 30 days are those before END; the questions' are local, and end with them. */
export const SITE_DAYS = 30;
const DAY_MS = 86_400_000;
const MONTH: Asked["period"] = { case: "dates", value: { startDate: "2025-12-02", endDate: "2025-12-31" } };
const LAST_DAY: Asked["period"] = {
  case: "times",
  value: { startTime: timestampFromMs(END - DAY_MS), endTime: timestampFromMs(END) },
};

/** What a counter's dashboard asks of one site, each under the name of what the peer asks (peer.ts). */
export const SITE_QUESTIONS: readonly Asked[] = [
  {
    name: "totals",
    metrics: ["page_views", "visitors", "sessions", "bounces", "session_duration"],
    period: MONTH,
  },
  {
    ...{ name: "by day", metrics: ["page_views", "visitors"], dimension: "time" },
    ...{ granularity: "day", period: MONTH },
  },
  {
    ...{ name: "last 24 hours", metrics: ["page_views", "visitors"], dimension: "time" },
    ...{ granularity: "hour", period: LAST_DAY },
  },
  { name: "top pages by visitors", metrics: ["visitors"], dimension: "page", period: MONTH },
  { name: "referrer hosts", metrics: ["visitors"], dimension: "referrer_host", period: MONTH },
  { name: "sources", metrics: ["visitors"], dimension: "source", period: MONTH },
  { name: "entry pages by visits", metrics: ["sessions"], dimension: "entry_page", period: MONTH },
  {
    ...{ name: "pages with three metrics", metrics: ["page_views", "visitors", "sessions"] },
    ...{ dimension: "page", period: MONTH },
  },
];
