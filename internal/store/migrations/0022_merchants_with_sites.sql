-- Aggregators ask every few seconds which merchants say something of sites: few among all.
CREATE INDEX merchants_with_sites ON merchants (merchant_id) WHERE own_domains <> '{}' OR ignored_referrers <> '{}';
