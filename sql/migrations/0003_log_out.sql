-- Logging out: the bearer of a live token ends all tokens of his account.

CREATE FUNCTION imagegate.account_log_out(p_id text, p_generation bigint) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Of two calls at the same time the second waits here, and then finds another generation: it cannot end tokens of a
	-- login that came after the first.
	PERFORM FROM imagegate.accounts WHERE id = p_id AND generation = p_generation AND NOT disabled FOR UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM imagegate.account_revoke(p_id);
	RETURN true;
END
$$;
COMMENT ON FUNCTION imagegate.account_log_out(text, bigint) IS
	'ends all tokens of an account; false, and nothing happens, if tokens of this generation are dead already';

REVOKE EXECUTE ON FUNCTION imagegate.account_log_out(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION imagegate.account_log_out(text, bigint) TO accounts;
