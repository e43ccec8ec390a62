-- Which bot an event is of (docs/processing.md, Bots): null for people, and in rows that were stored before.
-- As the operator writes it: GPTBot, Googlebot.
ALTER TABLE events ADD COLUMN bot_name text;
-- search_engine, ai_crawler, ai_search, ai_fetcher, seo, advertising, preview, feed, monitor, security, archiver,
-- research, library, scraper, automation or other.
ALTER TABLE events ADD COLUMN bot_kind text;
ALTER TABLE events ADD COLUMN bot_operator text;
