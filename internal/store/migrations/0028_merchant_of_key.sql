-- The merchant of a key, for programs whose roles may not read api_keys: who shows a key is told whose it is, and
-- nobody learns which keys there are. store/roles.ts tells who may ask.
CREATE FUNCTION merchant_of_key(asked_kind text, asked_sha256 bytea) RETURNS SETOF merchants
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = public, pg_temp AS $$
  SELECT m.* FROM api_keys k JOIN merchants m USING (merchant_id)
  WHERE k.key_sha256 = asked_sha256 AND k.kind = asked_kind AND coalesce(k.revoked_at > now(), true)
$$;
REVOKE ALL ON FUNCTION merchant_of_key FROM PUBLIC;
