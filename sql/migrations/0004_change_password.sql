-- Changing one's own password.

CREATE FUNCTION imagegate.account_change_password(p_id text, p_generation bigint, p_old_hash text, p_new_hash text) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE imagegate.accounts SET password_hash = p_new_hash, password_changed_at = now()
	WHERE id = p_id AND generation = p_generation AND password_hash = p_old_hash AND NOT disabled;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM imagegate.account_revoke(p_id);
	RETURN true;
END
$$;
COMMENT ON FUNCTION imagegate.account_change_password(text, bigint, text, text) IS
	'replaces the hash that the old password was checked against and ends all tokens; false, and nothing happens, if hash or generation have changed since';

REVOKE EXECUTE ON FUNCTION imagegate.account_change_password(text, bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION imagegate.account_change_password(text, bigint, text, text) TO accounts;
