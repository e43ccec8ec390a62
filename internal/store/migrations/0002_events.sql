-- Raw rows, and the books by which each event, order, refund and session counts once.

-- What arrived, and what the steps derived of it (docs/processing.md).
CREATE TABLE events (
  merchant_id integer NOT NULL,
  -- The event's time: the client's, or the received time where the client gave none.
  ts timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  event_id uuid NOT NULL,
  visitor_id bigint NOT NULL,
  session_id bigint NOT NULL,
  processor_version smallint NOT NULL,
  -- What ts is: 0 the client's time, 1 the client's corrected by its clock's error, 2 the received time.
  time_quality smallint,
  -- True when ts >= the merchant's rollups_from: an aggregate of large merchants leaves all others out by it.
  in_rollups boolean NOT NULL DEFAULT false,
  name text NOT NULL,
  url text,
  -- The path of the url, "/" for its site's root; null where the url is absent or not absolute.
  page text,
  -- In lower case (of ASCII), without user and port; null likewise, and where the url has none.
  host text,
  title text,
  referrer text,
  user_agent text,
  ip text,
  language text,
  screen_width integer,
  screen_height integer,
  properties jsonb,
  -- The hash of the merchant's own name for a person who signed in.
  user_id bigint,
  -- How long the page was looked at since its last event, ms, and how far down it was scrolled so far, 0 to 100.
  active_ms integer,
  scroll_percent smallint,
  -- True: nobody did anything for it (a timer, an impression), so that it makes no visit an engaged one.
  is_passive boolean NOT NULL DEFAULT false,
  -- 1 shows a list of items, 2 one, 3 puts it in the cart, 4 begins the checkout, 5 an order that counts, 6 a refund that
  -- counts, 0 anything else.
  stage smallint NOT NULL DEFAULT 0,
  -- What the visitor allowed, and the name and version of the SDK that told the event.
  consent smallint,
  sdk text,
  cart_id text,
  checkout_id text,
  is_bot boolean NOT NULL DEFAULT false,
  -- Which bot, as its operator writes it (GPTBot, Googlebot); null for people.
  bot_name text,
  -- search_engine, ai_crawler, ai_search, ai_fetcher, seo, advertising, preview, feed, monitor, security, archiver,
  -- research, library, scraper, automation or other.
  bot_kind text,
  bot_operator text,
  browser text,
  -- Major versions.
  browser_version text,
  os text,
  os_version text,
  -- desktop, mobile, tablet, tv or other.
  device_type text,
  -- ISO 3166-1 alpha-2.
  country text,
  region text,
  city text,
  -- In ASCII and lower case; null without a referrer, and where it is one of the merchant's own sites or an ignored one.
  referrer_host text,
  -- Null: the event came from a page of the same site, or tells no page.
  channel text,
  source text,
  medium text,
  campaign text,
  campaign_id text,
  campaign_term text,
  campaign_content text,
  -- The name of the click id's parameter, such as gclid; its value stays in url.
  click_id text,
  order_id text,
  order_revenue_micros bigint,
  order_tax_micros bigint,
  order_shipping_micros bigint,
  order_discount_micros bigint,
  order_currency text,
  order_coupon text,
  -- Null: not known.
  order_cost_micros bigint,
  order_market text,
  order_payment_method text,
  -- As user_id has them.
  order_customer_id bigint,
  -- What the event's order is: 0 only mentioned (begin_checkout ...), 1 an order, 2 an order that counted before (the
  -- thank-you page loaded again), 3 a refund, 4 a refund that counted before. Null without an order.
  order_kind smallint,
  -- The refund's own id, as the shop told it.
  refund_id text,
  -- Of a refund that counts: whether it and those before it give back more than its order's total. Null where that is
  -- not known: the order had not come yet, or is in another currency.
  refund_excess boolean,
  -- In the merchant's currency; null where it was not converted and for order_kind 0, 2 and 4, below zero for 3.
  revenue_micros bigint,
  -- The order's parts in the merchant's currency, of order_kind 1 alone; null where not converted or, of cost, not known.
  tax_micros bigint,
  shipping_micros bigint,
  discount_micros bigint,
  cost_micros bigint
);
SELECT create_hypertable('events', by_range('ts', INTERVAL '7 days'), create_default_indexes => false);
CREATE INDEX events_merchant_ts ON events (merchant_id, ts);
CREATE INDEX events_rollups_ts ON events (ts) WHERE in_rollups;
-- A refresh reads a span of time of all merchants: without this, all of a chunk, however little of it is new.
CREATE INDEX events_ts ON events USING brin (ts) WITH (pages_per_range = 32, autosummarize = on);

-- The items of events; position counts from 0 within the event.
CREATE TABLE items (
  merchant_id integer NOT NULL,
  ts timestamptz NOT NULL,
  event_id uuid NOT NULL,
  position smallint NOT NULL,
  item_id text NOT NULL,
  name text,
  brand text,
  category text,
  variant text,
  price_micros bigint NOT NULL,
  -- Millionths of one, 1 to 10^12.
  quantity_micros bigint NOT NULL DEFAULT 1000000,
  list_id text,
  list_position integer,
  promotion_id text,
  -- Of one, in the order's currency, as the price is.
  discount_micros bigint NOT NULL DEFAULT 0,
  cost_micros bigint,
  -- The event's, so that reports need no join.
  is_bot boolean NOT NULL DEFAULT false,
  visitor_id bigint NOT NULL DEFAULT 0,
  session_id bigint NOT NULL DEFAULT 0,
  stage smallint NOT NULL DEFAULT 0,
  -- Price less discount, by quantity, in the merchant's currency: below zero of refunds, null of stages other than 5 and 6
  -- and where it was not converted.
  revenue_micros bigint,
  in_rollups boolean NOT NULL DEFAULT false
);
SELECT create_hypertable('items', by_range('ts', INTERVAL '7 days'), create_default_indexes => false);
CREATE INDEX items_merchant_ts ON items (merchant_id, ts);
CREATE INDEX items_rollups_ts ON items (ts) WHERE in_rollups;

-- The columnstore of raw rows. Ordered by merchant, so that a merchant's rows are neighbours in it, and not segmented:
-- most merchants have too few rows to fill a segment. Chunks are converted by the aggregator (store/maintenance).
ALTER TABLE events SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = '',
  timescaledb.compress_orderby = 'merchant_id, ts'
);
ALTER TABLE items SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = '',
  timescaledb.compress_orderby = 'merchant_id, ts'
);

-- How far the rows of merchants with a retention shorter than the longest have been forgotten, by retention.
CREATE TABLE retention_progress (
  retention_days integer PRIMARY KEY,
  expired_through timestamptz NOT NULL
);

-- Which events are stored: (merchant_id, event_id) at most once. A unique index on a hypertable must contain its time
-- column, so key_time is a function of the id alone: the time inside a UUIDv7 if it is from 2020 to 2050, else the epoch.
-- Four weeks a chunk: ids of all times together meet a few hundred chunks at most (a chunk costs a lock), and a chunk is
-- converted as a whole, while nobody can claim a late id of it. docs/decisions/011.
CREATE TABLE event_keys (
  key_time timestamptz NOT NULL,
  merchant_id integer NOT NULL,
  event_id uuid NOT NULL,
  -- Of distant event keys and those of the epoch only (below): by it they can be forgotten after the retention.
  received_at timestamptz,
  CONSTRAINT event_keys_time
    CHECK (key_time = to_timestamp(0) OR (key_time >= '2020-01-01Z' AND key_time < '2050-01-01Z')),
  PRIMARY KEY (event_id, merchant_id, key_time)
);
SELECT create_hypertable('event_keys', by_range('key_time', INTERVAL '28 days'), create_default_indexes => false);
-- By merchant, so that looking an id up reads that merchant's segments alone, by their index; in the order of the id,
-- which is that of time in a UUIDv7. Chunks are converted by the aggregator; the one of the epoch stays rows.
ALTER TABLE event_keys SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id',
  timescaledb.compress_orderby = 'event_id'
);

-- Event keys of ids whose inner time is far from when their event was received: clocks that stand, ids made up. They are
-- forgotten by when they were received, like those of the epoch (store/event-keys.ts).
-- Where such keys are, by whole weeks and spans of 28 days since 1970: a row for each, however many keys it stands for.
-- Retention finds them by it, and keeps their chunks. Written in the transaction of its keys; a merchant's are written
-- by one transaction at a time, as its partition's position is.
CREATE TABLE distant_keys (
  merchant_id integer NOT NULL,
  -- Of the time inside the id: 28 days from here on.
  key_span timestamptz NOT NULL,
  -- Seven days from here on.
  received_week timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, key_span, received_week)
);
CREATE INDEX ON distant_keys (key_span);
CREATE INDEX ON distant_keys (received_week);

-- Which orders are counted: a merchant's order id at most once, whatever events bring it.
CREATE TABLE order_keys (
  merchant_id integer NOT NULL,
  order_id text NOT NULL,
  -- The event that counts, and its time, by which the key can be forgotten after the retention.
  event_id uuid NOT NULL,
  ts timestamptz NOT NULL,
  -- What the order was in all, and in which currency (null: the merchant's).
  total_micros bigint,
  currency text,
  PRIMARY KEY (merchant_id, order_id)
);

-- Which refunds are counted: of a merchant's order, each at most once, whatever events tell it.
CREATE TABLE refund_keys (
  merchant_id integer NOT NULL,
  order_id text NOT NULL,
  -- "id" and the refund's own; else "event" and the event's; else "amount" and the micros and currency.
  refund_key text NOT NULL,
  -- The event that counts, and its time, by which the key can be forgotten after the retention.
  event_id uuid NOT NULL,
  ts timestamptz NOT NULL,
  amount_micros bigint NOT NULL,
  -- Null: the merchant's.
  currency text,
  PRIMARY KEY (merchant_id, order_id, refund_key)
);

-- Sessions of visitors whose SDK names none: found by 30 minutes without activity. One row a session; the rows of a
-- visitor are apart by more than that, but for one that was cut at 24 hours. Written in the transaction of the events.
CREATE TABLE visitor_sessions (
  merchant_id integer NOT NULL,
  visitor_id bigint NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  session_id bigint NOT NULL,
  -- A visitor without an id is another one on the next day (UTC), and is asked for by the one of the day before as long
  -- as such a session may go on: few are, so that they have an index of their own.
  is_past_midnight boolean NOT NULL
    GENERATED ALWAYS AS ((started_at AT TIME ZONE 'UTC')::date <> (ended_at AT TIME ZONE 'UTC')::date) STORED,
  PRIMARY KEY (merchant_id, visitor_id, started_at)
);
SELECT create_hypertable('visitor_sessions', by_range('started_at', INTERVAL '30 days'),
  create_default_indexes => false);
CREATE INDEX ON visitor_sessions (merchant_id, visitor_id) WHERE is_past_midnight;

-- When visitors with an id first came, as people and as bots: who has no row is new. Visitors without an id are others
-- on the next day, and have none. Written in the transaction of the events, by the partition's one writer.
CREATE TABLE visitors (
  merchant_id integer NOT NULL,
  visitor_id bigint NOT NULL,
  -- Null: never yet.
  people_first_time timestamptz,
  bots_first_time timestamptz,
  -- The first of the month (UTC) of the latest event: retention goes by it, and a visitor is written once a month.
  seen_month date NOT NULL,
  PRIMARY KEY (merchant_id, visitor_id)
) WITH (fillfactor = 90);
