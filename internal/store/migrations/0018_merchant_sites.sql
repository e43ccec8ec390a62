-- What a merchant says about sites: its own domains beside those that its pages show (shop.example, shop-pay.example),
-- and referrers that start no visit beside those that everybody ignores (payment providers). Host names in ASCII and
-- lower case, without port; one stands for all hosts below it.
ALTER TABLE merchants ADD COLUMN own_domains text[] NOT NULL DEFAULT '{}';
ALTER TABLE merchants ADD COLUMN ignored_referrers text[] NOT NULL DEFAULT '{}';
