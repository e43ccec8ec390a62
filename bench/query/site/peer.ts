import type { Pool } from "../../../internal/store/pool.ts";

/**
 * The same page views as a counter that keeps rows alone has them: a plain table, with the indexes that its questions
 * ask for.
 */
const TABLE = `
CREATE TABLE site_views (
  event_id uuid PRIMARY KEY,
  site_id uuid NOT NULL,
  visitor_id uuid NOT NULL,
  visit_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  url_path varchar(500) NOT NULL,
  url_query varchar(500),
  utm_source varchar(255),
  referrer_domain varchar(500),
  page_title varchar(500),
  event_type integer NOT NULL,
  hostname varchar(100)
)`;

const INDEXES = [
  "created_at",
  "visitor_id",
  "visit_id",
  "site_id",
  "site_id, created_at",
  "site_id, created_at, url_path",
  "site_id, created_at, referrer_domain",
  "site_id, visitor_id, created_at",
  "site_id, visit_id, created_at",
];

const HOST = "'^[a-z]+://(?:www[.])?([^/?#]+).*$'";

/** Taken from the rows of events, with ids of its own and hosts taken out of addresses anew. */
const FILL = `
INSERT INTO site_views
SELECT event_id, md5('site')::uuid, md5(visitor_id::text)::uuid, md5(session_id::text)::uuid, ts,
  coalesce(nullif(regexp_replace(url, '^[a-z]+://[^/?#]+|[?#].*$', '', 'g'), ''), '/'),
  substring(url FROM '[?]([^#]*)'),
  substring(url FROM '[?&]utm_source=([^&#]*)'),
  regexp_replace(referrer, ${HOST}, '\\1'), title, 1, regexp_replace(url, ${HOST}, '\\1')
FROM events
WHERE merchant_id = $1 AND NOT is_bot`;

export async function makePeer(pool: Pool, merchantId: number): Promise<void> {
  await pool.query(TABLE);
  await pool.query(FILL, [merchantId]);
  for (const columns of INDEXES) await pool.query(`CREATE INDEX ON site_views (${columns})`);
  await pool.query("VACUUM ANALYZE site_views");
}

const OF_SITE = "site_id = md5('site')::uuid AND created_at >= $1 AND created_at < $2 AND event_type = 1";
const TOP = "ORDER BY 2 DESC, 1 LIMIT 10";

/** Bounces and time on the site are asked for along with a visit's views, as such a dashboard shows them. */
const VISITS = `SELECT visitor_id, visit_id, count(*) AS views, min(created_at) AS first_time, max(created_at) AS last_time
  FROM site_views WHERE ${OF_SITE} GROUP BY visitor_id, visit_id`;

const BUCKET = (unit: string) =>
  `(extract(epoch FROM date_trunc('${unit}', created_at, 'Europe/Berlin')) * 1000)::bigint::text`;

/** A visit's source by its first view, named as Footfall names search engines. */
const SOURCE = `SELECT DISTINCT ON (visit_id) visit_id,
    coalesce(utm_source, regexp_replace(nullif(referrer_domain, ''), '^(google|bing|duckduckgo)[.]com$', '\\1'), '(direct)')
      AS source
  FROM site_views WHERE ${OF_SITE} ORDER BY visit_id, created_at`;

/**
 * What such a counter asks its rows, by the names of the questions (questions.ts): a key and one number for each
 * metric. $1 and $2: where the period begins and ends.
 */
export const PEER_SQL: Readonly<Record<string, string>> = {
  totals: `SELECT '', sum(views)::bigint, count(DISTINCT visitor_id), count(DISTINCT visit_id),
      count(*) FILTER (WHERE views = 1), avg(extract(epoch FROM last_time - first_time))::float8
    FROM (${VISITS}) visits`,
  "by day": series("day"),
  "last 24 hours": series("hour"),
  "top pages by visitors": `SELECT url_path, count(DISTINCT visitor_id) FROM site_views WHERE ${OF_SITE} GROUP BY 1 ${TOP}`,
  "referrer hosts": `SELECT referrer_domain, count(DISTINCT visitor_id) FROM site_views
    WHERE ${OF_SITE} AND referrer_domain <> '' AND referrer_domain <> hostname GROUP BY 1 ${TOP}`,
  sources: `SELECT source, count(DISTINCT visitor_id) FROM site_views JOIN (${SOURCE}) visits USING (visit_id)
    WHERE ${OF_SITE} GROUP BY 1 ${TOP}`,
  "entry pages by visits": `SELECT url_path, count(DISTINCT visit_id) FROM site_views
    JOIN (SELECT visit_id, min(created_at) AS created_at FROM site_views WHERE ${OF_SITE} GROUP BY visit_id) first
      USING (visit_id, created_at)
    WHERE ${OF_SITE} GROUP BY 1 ${TOP}`,
  "pages with three metrics": `SELECT url_path, count(*), count(DISTINCT visitor_id), count(DISTINCT visit_id)
    FROM site_views WHERE ${OF_SITE} GROUP BY 1 ${TOP}`,
};

function series(unit: "day" | "hour"): string {
  return `SELECT ${BUCKET(unit)}, count(*), count(DISTINCT visitor_id) FROM site_views WHERE ${OF_SITE} GROUP BY 1 ORDER BY 1`;
}
