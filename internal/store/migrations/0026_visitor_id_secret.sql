-- The secret under which collectors hash visitor ids that could be guessed (mail addresses, customer numbers): 244
-- random bits, made here so that they stand in no statement. Lost, the same ids are other visitors from then on.
CREATE TABLE visitor_id_secret (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  secret bytea NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO visitor_id_secret (secret)
SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
