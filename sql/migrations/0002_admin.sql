-- For operators, in psql: see accounts, make them, close them, open them, set a password.

CREATE SCHEMA admin;
COMMENT ON SCHEMA admin IS 'for operators; \dv+ and \df+ show what there is';

CREATE VIEW admin.accounts AS
	SELECT id::text, login::text, created_at, last_login_at, disabled FROM imagegate.accounts;
COMMENT ON VIEW admin.accounts IS 'all accounts; SELECT * FROM accounts WHERE login ILIKE ''%bob%''';
COMMENT ON COLUMN admin.accounts.id IS 'prefix of the account''s images, sub of its tokens';
COMMENT ON COLUMN admin.accounts.login IS 'unique without regard to case';
COMMENT ON COLUMN admin.accounts.created_at IS 'when it registered';
COMMENT ON COLUMN admin.accounts.last_login_at IS 'NULL: never';
COMMENT ON COLUMN admin.accounts.disabled IS 'may not log in';

CREATE FUNCTION imagegate.account_named(p_login text) RETURNS imagegate.account_id
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_id imagegate.account_id;
BEGIN
	SELECT id INTO found_id FROM imagegate.accounts WHERE lower(login) = lower(p_login);
	IF found_id IS NULL THEN
		RAISE EXCEPTION 'no account "%"', p_login;
	END IF;
	RETURN found_id;
END
$$;
COMMENT ON FUNCTION imagegate.account_named(text) IS 'the id of a login, or an error; for other functions only';

CREATE FUNCTION admin.account_create(p_login text, p_password_hash text) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	new_id text := imagegate.account_create(p_login, p_password_hash);
BEGIN
	IF new_id IS NULL THEN
		RAISE EXCEPTION 'login "%" is taken', p_login;
	END IF;
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION admin.account_create(text, text) IS 'makes an account and returns its id, also while registration is closed';

CREATE FUNCTION admin.account_disable(p_login text) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_id imagegate.account_id := imagegate.account_named(p_login);
BEGIN
	UPDATE imagegate.accounts SET disabled = true WHERE id = found_id;
	PERFORM imagegate.account_revoke(found_id);
	RETURN found_id;
END
$$;
COMMENT ON FUNCTION admin.account_disable(text) IS 'ends all tokens of an account and lets it get no new ones; its images stay';

CREATE FUNCTION admin.account_enable(p_login text) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_id imagegate.account_id := imagegate.account_named(p_login);
BEGIN
	UPDATE imagegate.accounts SET disabled = false WHERE id = found_id;
	RETURN found_id;
END
$$;
COMMENT ON FUNCTION admin.account_enable(text) IS 'lets an account log in again; tokens from before it was disabled stay dead';

CREATE FUNCTION admin.account_set_password(p_login text, p_password_hash text) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_id imagegate.account_id := imagegate.account_named(p_login);
BEGIN
	UPDATE imagegate.accounts SET password_hash = p_password_hash, password_changed_at = now() WHERE id = found_id;
	PERFORM imagegate.account_revoke(found_id);
	RETURN found_id;
END
$$;
COMMENT ON FUNCTION admin.account_set_password(text, text) IS 'gives an account another password and ends all its tokens';

GRANT USAGE ON SCHEMA admin TO admin;
GRANT SELECT ON admin.accounts TO admin;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA admin TO admin;
