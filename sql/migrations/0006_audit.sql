-- The audit: who did what to which account, and when. Triggers on the accounts write it, so that no function, present or to
-- come, can forget to. Nobody but the owner may change it: the accounts pool reaches it through two functions, operators by a view.

CREATE TABLE imagegate.audit (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	action  text NOT NULL CONSTRAINT "an action" CHECK (action IN (
		'created', 'deleted', 'disabled', 'enabled', 'login', 'login failed', 'password changed', 'tokens revoked',
		'retention changed'
	)),
	account imagegate.account_id,
	login   text CONSTRAINT "1 to 64 of A-Za-z0-9._@+-" CHECK (login ~ '^[A-Za-z0-9._@+-]{1,64}$'),
	address inet,
	actor   text NOT NULL DEFAULT session_user
);
CREATE INDEX audit_at ON imagegate.audit (at);
CREATE INDEX audit_logins ON imagegate.audit (id) WHERE action IN ('login', 'login failed');
COMMENT ON TABLE imagegate.audit IS 'what happened to accounts; no foreign key, so that it outlives them; no secret is ever written';
COMMENT ON COLUMN imagegate.audit.id IS 'the order';
COMMENT ON COLUMN imagegate.audit.at IS 'when it was written';
COMMENT ON COLUMN imagegate.audit.action IS 'what was done';
COMMENT ON COLUMN imagegate.audit.account IS 'to whom; NULL: a login that nobody has';
COMMENT ON COLUMN imagegate.audit.login IS 'of the account, or as it was typed';
COMMENT ON COLUMN imagegate.audit.address IS 'of the client; NULL: it came from no client';
COMMENT ON COLUMN imagegate.audit.actor IS 'by whom: accounts is the pool, for the account''s owner or a stranger; the rest are operators';
COMMENT ON INDEX imagegate.audit_at IS 'for what is too old';
COMMENT ON INDEX imagegate.audit_logins IS 'for what is too much';

CREATE TABLE imagegate.audit_retention (
	one  boolean PRIMARY KEY DEFAULT true CONSTRAINT "one row" CHECK (one),
	keep interval NOT NULL DEFAULT interval '90 days' CONSTRAINT "1 day to 10 years" CHECK (keep BETWEEN interval '1 day' AND interval '10 years')
);
INSERT INTO imagegate.audit_retention DEFAULT VALUES;
COMMENT ON TABLE imagegate.audit_retention IS 'how long the audit is kept; admin.audit_keep changes it';
COMMENT ON COLUMN imagegate.audit_retention.one IS 'there is one row';
COMMENT ON COLUMN imagegate.audit_retention.keep IS 'rows older than this go';


CREATE FUNCTION imagegate.audit_from(p_address inet) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM set_config('imagegate.address', coalesce(host(p_address), ''), true);
END
$$;
COMMENT ON FUNCTION imagegate.audit_from(inet) IS
	'until the end of the transaction, what is done is done for the client of this address: SELECT f() FROM audit_from(…)';

CREATE FUNCTION imagegate.audit_trim(p_id bigint) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Of what strangers can bring about without limit there are 2,000,000 rows at most, so that nobody fills the disk; a flood of
	-- them takes none of the others away. Two rows go for each that comes: the table shrinks to its bounds. Rows that others
	-- are removing at this moment are left to them.
	DELETE FROM imagegate.audit WHERE id IN (
		SELECT id FROM imagegate.audit WHERE at < now() - (SELECT keep FROM imagegate.audit_retention)
		ORDER BY at LIMIT 2 FOR UPDATE SKIP LOCKED
	);
	DELETE FROM imagegate.audit WHERE id IN (
		SELECT id FROM imagegate.audit WHERE action IN ('login', 'login failed') AND id <= p_id - 2000000
		ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED
	);
END
$$;
COMMENT ON FUNCTION imagegate.audit_trim(bigint) IS 'removes some of what the audit need not keep beside its newest row; for other functions only';

CREATE FUNCTION imagegate.audit_write(p_action text, p_account text, p_login text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	new_id bigint;
BEGIN
	INSERT INTO imagegate.audit (action, account, login, address)
	VALUES (p_action, p_account, p_login, nullif(current_setting('imagegate.address', true), '')::inet)
	RETURNING id INTO new_id;
	PERFORM imagegate.audit_trim(new_id);
END
$$;
COMMENT ON FUNCTION imagegate.audit_write(text, text, text) IS 'adds a row to the audit; for other functions only';

CREATE FUNCTION imagegate.audit_login_failed(p_login text, p_address inet) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- The client does not wait for the disk: a crash of the database may lose the last second's.
	PERFORM set_config('synchronous_commit', 'off', true);
	PERFORM imagegate.audit_from(p_address);
	PERFORM imagegate.audit_write('login failed', (SELECT id FROM imagegate.accounts WHERE lower(login) = lower(p_login)), p_login);
END
$$;
COMMENT ON FUNCTION imagegate.audit_login_failed(text, inet) IS 'records a login that was refused: nobody''s, a wrong password, or a disabled account';


CREATE FUNCTION imagegate.accounts_audit() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		PERFORM imagegate.audit_write('created', NEW.id, NEW.login);
		RETURN NULL;
	END IF;
	IF TG_OP = 'DELETE' THEN
		PERFORM imagegate.audit_write('deleted', OLD.id, OLD.login);
		RETURN NULL;
	END IF;
	IF NEW.last_login_at IS DISTINCT FROM OLD.last_login_at THEN
		PERFORM imagegate.audit_write('login', NEW.id, NEW.login);
	END IF;
	IF NEW.disabled <> OLD.disabled THEN
		PERFORM imagegate.audit_write(CASE WHEN NEW.disabled THEN 'disabled' ELSE 'enabled' END, NEW.id, NEW.login);
	END IF;
	IF NEW.password_changed_at <> OLD.password_changed_at THEN
		PERFORM imagegate.audit_write('password changed', NEW.id, NEW.login);
	END IF;
	IF NEW.generation <> OLD.generation THEN
		PERFORM imagegate.audit_write('tokens revoked', NEW.id, NEW.login);
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION imagegate.accounts_audit() IS 'writes what a change of an account means into the audit';

CREATE TRIGGER accounts_audit
	AFTER INSERT OR UPDATE OR DELETE ON imagegate.accounts
	FOR EACH ROW EXECUTE FUNCTION imagegate.accounts_audit();
COMMENT ON TRIGGER accounts_audit ON imagegate.accounts IS 'each change, whoever makes it';


CREATE VIEW admin.audit AS
	SELECT at, action, account::text, login, address, actor FROM imagegate.audit ORDER BY id DESC;
COMMENT ON VIEW admin.audit IS 'what happened to accounts, newest first; SELECT * FROM audit WHERE login = ''bob'' LIMIT 20';
COMMENT ON COLUMN admin.audit.at IS 'when';
COMMENT ON COLUMN admin.audit.action IS 'what';
COMMENT ON COLUMN admin.audit.account IS 'id of the account; NULL: a login that nobody has';
COMMENT ON COLUMN admin.audit.login IS 'of the account, or as it was typed';
COMMENT ON COLUMN admin.audit.address IS 'of the client; NULL: it came from no client';
COMMENT ON COLUMN admin.audit.actor IS 'by whom: accounts is the pool, for the account''s owner or a stranger; the rest are operators';

CREATE FUNCTION admin.audit_keep(p_keep interval) RETURNS interval
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE imagegate.audit_retention SET keep = p_keep;
	PERFORM imagegate.audit_write('retention changed', NULL, NULL);
	RETURN p_keep;
END
$$;
COMMENT ON FUNCTION admin.audit_keep(interval) IS 'how long the audit is kept, from 1 day to 10 years; 90 days at first';

REVOKE EXECUTE ON FUNCTION
	imagegate.audit_from(inet),
	imagegate.audit_trim(bigint),
	imagegate.audit_write(text, text, text),
	imagegate.audit_login_failed(text, inet),
	imagegate.accounts_audit(),
	admin.audit_keep(interval)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION imagegate.audit_from(inet), imagegate.audit_login_failed(text, inet) TO accounts;
GRANT SELECT ON admin.audit TO admin;
GRANT EXECUTE ON FUNCTION admin.audit_keep(interval) TO admin;
