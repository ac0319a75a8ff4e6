-- For operators: end an account's tokens, remove an account.

CREATE FUNCTION admin.account_revoke(p_login text) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_id imagegate.account_id := imagegate.account_named(p_login);
BEGIN
	PERFORM imagegate.account_revoke(found_id);
	RETURN found_id;
END
$$;
COMMENT ON FUNCTION admin.account_revoke(text) IS 'ends all tokens of an account; its password opens it again';

CREATE FUNCTION admin.account_delete(p_login text) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_id imagegate.account_id := imagegate.account_named(p_login);
BEGIN
	PERFORM imagegate.account_revoke(found_id);
	-- The row in revocations stays, for as long as a token of this account could live.
	DELETE FROM imagegate.accounts WHERE id = found_id;
	RETURN found_id;
END
$$;
COMMENT ON FUNCTION admin.account_delete(text) IS
	'removes an account and ends all its tokens; its images stay in the store, under the id that this returns; the login is free again';

REVOKE EXECUTE ON FUNCTION admin.account_revoke(text), admin.account_delete(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION admin.account_revoke(text), admin.account_delete(text) TO admin;
