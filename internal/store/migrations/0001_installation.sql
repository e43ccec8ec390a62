-- What is known before any event: the installation, its merchants, their API keys and goals, and what processing looks up.
-- In all files times are timestamptz (UTC inside), amounts are bigint micros, hashes are 64-bit integers.

CREATE EXTENSION IF NOT EXISTS timescaledb;

-- Facts of this installation that can never change once data exists. One row.
CREATE TABLE installation (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 4096),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE merchants (
  merchant_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  time_zone text NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  retention_days integer NOT NULL CHECK (retention_days BETWEEN 1 AND 7300),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Off: the collector keeps the merchant's visitors' whole addresses.
  truncate_ip boolean NOT NULL DEFAULT true,
  -- Its own domains beside those that its pages show (shop.example, shop-pay.example), and referrers that start no visit
  -- beside those that everybody ignores (payment providers). Host names in ASCII and lower case, without port; one
  -- stands for all hosts below it.
  own_domains text[] NOT NULL DEFAULT '{}',
  ignored_referrers text[] NOT NULL DEFAULT '{}',
  -- The highest that a goal of it had: ids of goals are never used again.
  last_goal_id integer NOT NULL DEFAULT 0,
  -- Large merchants are answered from continuous aggregates beyond the totals (rollups); the many small ones from their
  -- rows, which costs less than keeping aggregates for all. A merchant joins with the first day of many events, and stays.
  rollups_from timestamptz,
  -- From when on reports may use them: rollups_from, or later while older rows are being marked.
  rollups_ready_from timestamptz,
  -- The first day (UTC) of so many events that they should reach back to it; null: they do.
  rollups_wanted_from timestamptz,
  CHECK (rollups_ready_from >= rollups_from)
);
CREATE INDEX merchants_rollups ON merchants (merchant_id) WHERE rollups_from IS NOT NULL;
CREATE INDEX merchants_rollups_wanted ON merchants (merchant_id) WHERE rollups_wanted_from IS NOT NULL;
-- Aggregators ask every few seconds which merchants say something of sites: few among all.
CREATE INDEX merchants_with_sites ON merchants (merchant_id) WHERE own_domains <> '{}' OR ignored_referrers <> '{}';

-- API keys are random 256-bit texts, so that a plain SHA-256 is enough to hide them.
CREATE TABLE api_keys (
  key_sha256 bytea PRIMARY KEY CHECK (length(key_sha256) = 32),
  merchant_id integer NOT NULL REFERENCES merchants,
  kind text NOT NULL CHECK (kind IN ('write', 'read', 'manage')),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

-- The merchant of an API key, for programs whose roles may not read api_keys: who shows one is told whose it is, and
-- nobody learns which there are. store/roles.ts tells who may ask.
CREATE FUNCTION merchant_of_key(asked_kind text, asked_sha256 bytea) RETURNS SETOF merchants
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = public, pg_temp AS $$
  SELECT m.* FROM api_keys k JOIN merchants m USING (merchant_id)
  WHERE k.key_sha256 = asked_sha256 AND k.kind = asked_kind AND coalesce(k.revoked_at > now(), true)
$$;
REVOKE ALL ON FUNCTION merchant_of_key FROM PUBLIC;

-- What merchants call a success: an event's name, a pattern of its page, or both. Reports find the events that reach a
-- goal in the raw rows when they are asked, so that a goal counts what happened before it was made.
CREATE TABLE goals (
  merchant_id integer NOT NULL REFERENCES merchants ON DELETE CASCADE,
  goal_id integer NOT NULL CHECK (goal_id > 0),
  name text NOT NULL CHECK (name <> ''),
  event_name text,
  -- Over the event's page: * for anything within a segment, ** for anything (docs/goals.md).
  page_pattern text,
  -- What reaching it once is worth, in the merchant's currency; null: the revenue of the event that reaches it.
  value_micros bigint CHECK (value_micros >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (event_name IS NOT NULL OR page_pattern IS NOT NULL),
  PRIMARY KEY (merchant_id, goal_id),
  UNIQUE (merchant_id, name)
);

-- Reference rates: how many units of a currency one euro was on a day.
CREATE TABLE currency_rates (
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  day date NOT NULL,
  per_euro double precision NOT NULL CHECK (per_euro > 0),
  PRIMARY KEY (currency, day)
);

-- Secrets that the hashes of visitors without an id are made with, one a day of use. Deleted 48 hours after they
-- were made: then nobody can find out any more whose hash it was. Vacuumed after each deletion.
CREATE TABLE visitor_salts (
  day date PRIMARY KEY,
  salt bytea NOT NULL CHECK (length(salt) = 32),
  created_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

-- The secret under which collectors hash visitor ids that could be guessed (mail addresses, customer numbers): 244
-- random bits, made here so that they stand in no statement. Lost, the same ids are other visitors from then on.
CREATE TABLE visitor_id_secret (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  secret bytea NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO visitor_id_secret (secret)
SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
