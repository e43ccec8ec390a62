import sql from "sql-template-tag";
import type { Metric, SessionSumMetric } from "../field.ts";
import { count, distinct, ratio, sum } from "./build.ts";

export const EVENTS = count("events", sql`true`, [], {
  title: "Events",
  description: "Events of any name.",
});
const pageViews = count("page_views", sql`name = 'page_view'`, ["name"], {
  title: "Page views",
  description: "Events named page_view.",
});
const activeSeconds = sum("active_time", sql`active_ms`, ["active_ms"], "active_ms", {
  title: "Active time",
  description: "Time that pages were in view and focus.",
  unit: "seconds",
  factor: 1e-3,
});

export const visitors = distinct("visitors", "visitor_id", undefined, {
  title: "Visitors",
  description: "Different visitors. Who comes twice is one: a total is less than the sum of its parts.",
  scope: "visitor",
});
export const sessions = distinct("sessions", "session_id", undefined, {
  title: "Sessions",
  description: "Different sessions with an event in the period.",
  scope: "session",
});
const newVisitors = distinct(
  "new_visitors",
  "visitor_id",
  {
    columns: ["visitor_first_time"],
    sql: ({ spanStart }) => sql`(visitor_first_time < ${spanStart}) IS NOT TRUE`,
  },
  {
    title: "New visitors",
    description: "Visitors whose first event ever lies in the period.",
    scope: "visitor",
  },
);
const returningVisitors = distinct(
  "returning_visitors",
  "visitor_id",
  { columns: ["visitor_first_time"], sql: ({ spanStart }) => sql`visitor_first_time < ${spanStart}` },
  { title: "Returning visitors", description: "Visitors who came before the period too.", scope: "visitor" },
);
/** GA4's rule: ten seconds, two page views, or an order. */
const ENGAGED = sql`(session_active_ms >= 10000 OR session_last_time - session_first_time >= INTERVAL '10 seconds'
  OR session_page_views >= 2 OR session_orders > 0)`;
/** One page view and nothing else but what says that it is passive. */
const BOUNCED = sql`(session_page_views <= 1 AND session_non_passive_events <= 1)`;
const WHOLE = [
  "session_active_ms",
  "session_first_time",
  "session_last_time",
  "session_page_views",
  "session_orders",
  "session_non_passive_events",
];
const engagedSessions = distinct(
  "engaged_sessions",
  "session_id",
  { columns: WHOLE, sql: () => ENGAGED },
  {
    title: "Engaged sessions",
    description: "Sessions of ten seconds or more, with two page views or more, or with an order.",
    scope: "session",
  },
);
const bounces = distinct(
  "bounces",
  "session_id",
  { columns: WHOLE, sql: () => BOUNCED },
  {
    title: "Bounces",
    description: "Sessions of one page view and no other event but passive ones.",
    scope: "session",
  },
);
const sessionSeconds: SessionSumMetric = {
  kind: "session_sum",
  name: "session_time",
  title: "Session time",
  description: "From the first to the last event of each session, added up.",
  scope: "session",
  unit: "seconds",
  relation: "events",
  measure: {
    columns: ["session_first_time", "session_last_time"],
    sql: sql`(extract(epoch FROM session_last_time - session_first_time) * 1000)::bigint`,
  },
  // Whole ms add up exactly.
  factor: 1e-3,
};
const entrances = count(
  "entrances",
  sql`true`,
  [],
  { title: "Entrances", description: "Sessions' first page views.", scope: "session" },
  "entrances",
);
const exits = count(
  "exits",
  sql`true`,
  [],
  { title: "Exits", description: "Sessions' last page views.", scope: "session" },
  "exits",
);

const scrollDepth = sum("scroll_sum", sql`scroll_percent`, ["scroll_percent"], "scroll_sum", {
  title: "Scrolled",
  description: "Parts of pages that were seen, added up.",
  unit: "percent",
});
const scrolls = count("scroll_reports", sql`scroll_percent IS NOT NULL`, ["scroll_percent"], {
  title: "Scroll reports",
  description: "Events that tell how much of a page was seen.",
});

/** Who came, and what they did. */
export const TRAFFIC_METRICS: readonly Metric[] = [
  EVENTS,
  pageViews,
  visitors,
  newVisitors,
  returningVisitors,
  sessions,
  engagedSessions,
  ratio("engagement_rate", engagedSessions, sessions, {
    title: "Engagement rate",
    description: "Engaged sessions by sessions.",
  }),
  bounces,
  ratio("bounce_rate", bounces, sessions, { title: "Bounce rate", description: "Bounces by sessions." }),
  ratio("session_duration", sessionSeconds, sessions, {
    title: "Session duration",
    description: "Average time from the first to the last event of a session.",
    unit: "seconds",
  }),
  ratio("views_per_session", pageViews, sessions, {
    title: "Views per session",
    description: "Page views by sessions.",
    unit: "number",
  }),
  activeSeconds,
  ratio("time_on_page", activeSeconds, pageViews, {
    title: "Time on page",
    description: "Active time by page views.",
    unit: "seconds",
  }),
  ratio("scroll_depth", scrollDepth, scrolls, {
    title: "Scroll depth",
    description: "Average part of a page that was seen.",
    unit: "percent",
  }),
  entrances,
  exits,
  ratio("exit_rate", exits, pageViews, { title: "Exit rate", description: "Exits by page views." }),
];
