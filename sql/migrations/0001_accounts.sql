-- Accounts and revocations: the tables, and the only functions that the accounts pool may call.
--
-- The rules for values are domains, not table constraints: the error for a broken one names the rule, where that of a table
-- constraint shows the whole row, hash included, to whoever logs it.

DROP SCHEMA public;

COMMENT ON SCHEMA imagegate IS 'the data, and what the service roles may do with it';

CREATE DOMAIN imagegate.account_id AS text
	CONSTRAINT "16 of 0-9a-v" CHECK (VALUE ~ '^[0-9a-v]{16}$');
COMMENT ON DOMAIN imagegate.account_id IS 'public and stable name of an account: 80 random bits in base32hex';

CREATE DOMAIN imagegate.login AS text NOT NULL
	CONSTRAINT "1 to 64 of A-Za-z0-9._@+-" CHECK (VALUE ~ '^[A-Za-z0-9._@+-]{1,64}$');
COMMENT ON DOMAIN imagegate.login IS 'what a person logs in with';

-- The last characters of salt and key have unused bits, which must be zero.
CREATE DOMAIN imagegate.password_hash AS text NOT NULL
	CONSTRAINT "pbkdf2-sha256 as passlib writes it" CHECK (VALUE ~
		'^\$pbkdf2-sha256\$[1-9][0-9]{3,6}\$[A-Za-z0-9./]{21}[AQgw]\$[A-Za-z0-9./]{42}[AEIMQUYcgkosw048]$');
COMMENT ON DOMAIN imagegate.password_hash IS
	'$pbkdf2-sha256$<1000 to 9999999 rounds>$<salt, 16 bytes>$<key, 32 bytes>, in base64 with . for + and no padding';

CREATE DOMAIN imagegate.generation AS bigint
	CONSTRAINT "not negative" CHECK (VALUE >= 0);
COMMENT ON DOMAIN imagegate.generation IS 'raised to revoke all of an account''s tokens';


CREATE TABLE imagegate.accounts (
	id                  imagegate.account_id PRIMARY KEY,
	login               imagegate.login,
	password_hash       imagegate.password_hash,
	generation          imagegate.generation NOT NULL DEFAULT 0,
	disabled            boolean NOT NULL DEFAULT false,
	created_at          timestamptz NOT NULL DEFAULT now(),
	password_changed_at timestamptz NOT NULL DEFAULT now(),
	last_login_at       timestamptz
);
CREATE UNIQUE INDEX accounts_login ON imagegate.accounts (lower(login));
COMMENT ON INDEX imagegate.accounts_login IS 'logins are unique without regard to case';
COMMENT ON TABLE imagegate.accounts IS 'everybody who may log in';
COMMENT ON COLUMN imagegate.accounts.id IS 'sub of the account''s tokens, prefix of its images';
COMMENT ON COLUMN imagegate.accounts.login IS 'as it was registered';
COMMENT ON COLUMN imagegate.accounts.password_hash IS 'one-way';
COMMENT ON COLUMN imagegate.accounts.generation IS 'gen of new tokens; tokens with a lower one are dead';
COMMENT ON COLUMN imagegate.accounts.disabled IS 'may not log in';
COMMENT ON COLUMN imagegate.accounts.created_at IS 'when it registered';
COMMENT ON COLUMN imagegate.accounts.password_changed_at IS 'when the password was chosen; a new hash of the same one does not count';
COMMENT ON COLUMN imagegate.accounts.last_login_at IS 'last right password; NULL: never';

CREATE TABLE imagegate.revocations (
	account    imagegate.account_id PRIMARY KEY,
	generation imagegate.generation NOT NULL,
	until      timestamptz NOT NULL
);
COMMENT ON TABLE imagegate.revocations IS 'what the validate pools must refuse; no foreign key, so that a row outlives its account';
COMMENT ON COLUMN imagegate.revocations.account IS 'sub of the tokens';
COMMENT ON COLUMN imagegate.revocations.generation IS 'tokens with a lower gen are dead';
COMMENT ON COLUMN imagegate.revocations.until IS 'by then all of them have expired, and the row may go';


CREATE FUNCTION imagegate.revocations_notify() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NOTIFY revocations;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION imagegate.revocations_notify() IS 'tells listeners on channel revocations to read the table again';

CREATE TRIGGER revocations_notify
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON imagegate.revocations
	EXECUTE FUNCTION imagegate.revocations_notify();
COMMENT ON TRIGGER revocations_notify ON imagegate.revocations IS 'once a statement';

CREATE FUNCTION imagegate.account_revoke(p_id text) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	-- A token lives 24 hours at most. The minutes are for clocks that differ and for logins that are under way.
	WITH raised AS (
		UPDATE imagegate.accounts SET generation = generation + 1 WHERE id = p_id RETURNING id, generation
	)
	INSERT INTO imagegate.revocations (account, generation, until)
	SELECT id, generation, now() + interval '24 hours 5 minutes' FROM raised
	ON CONFLICT (account) DO UPDATE SET generation = excluded.generation, until = excluded.until;

	-- Rows that are being written at this moment are somebody else's: waiting for them could deadlock.
	DELETE FROM imagegate.revocations WHERE account IN (
		SELECT account FROM imagegate.revocations WHERE until < now() FOR UPDATE SKIP LOCKED
	);
END;
COMMENT ON FUNCTION imagegate.account_revoke(text) IS
	'ends all tokens of an account: raises its generation, lists that, and drops what the list no longer needs; for other functions only';

CREATE FUNCTION imagegate.account_id_new() RETURNS text
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	-- Of the 128 bits of a version 4 UUID, 6 are fixed: bits 48 to 51 and 64 and 65. Bytes 0 to 5 and 12 to 15 are all random.
	WITH random AS MATERIALIZED (
		SELECT replace(gen_random_uuid()::text, '-', '') AS hex
	), bits AS MATERIALIZED (
		SELECT ('x' || substr(hex, 1, 12) || substr(hex, 25, 8))::bit(80) AS b FROM random
	)
	SELECT string_agg(substr('0123456789abcdefghijklmnopqrstuv', substring(b FROM 5 * i + 1 FOR 5)::bit(5)::integer + 1, 1),
	                  '' ORDER BY i)
	FROM bits, generate_series(0, 15) AS i;
END;
COMMENT ON FUNCTION imagegate.account_id_new() IS 'a random account id, from PostgreSQL''s strong source; for other functions only';


CREATE FUNCTION imagegate.account_create(p_login text, p_password_hash text) RETURNS text
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO imagegate.accounts (id, login, password_hash)
	VALUES (imagegate.account_id_new(), p_login, p_password_hash)
	ON CONFLICT (lower(login)) DO NOTHING
	RETURNING id;
END;
COMMENT ON FUNCTION imagegate.account_create(text, text) IS 'makes an account; its id, or NULL if the login is taken';

CREATE FUNCTION imagegate.account_login_taken(p_login text) RETURNS boolean
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT EXISTS (SELECT FROM imagegate.accounts a WHERE lower(a.login) = lower(p_login));
END;
COMMENT ON FUNCTION imagegate.account_login_taken(text) IS 'whether account_create would answer NULL';

CREATE FUNCTION imagegate.account_by_login(p_login text)
	RETURNS TABLE (id text, login text, password_hash text, generation bigint, disabled boolean)
	LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT a.id, a.login, a.password_hash, a.generation, a.disabled
	FROM imagegate.accounts a WHERE lower(a.login) = lower(p_login);
END;
COMMENT ON FUNCTION imagegate.account_by_login(text) IS 'what a login is checked against; no row if there is no such account';

CREATE FUNCTION imagegate.account_logged_in(p_id text) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	UPDATE imagegate.accounts SET last_login_at = now() WHERE id = p_id;
END;
COMMENT ON FUNCTION imagegate.account_logged_in(text) IS 'records a login';

CREATE FUNCTION imagegate.account_rehash(p_id text, p_old_hash text, p_new_hash text) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	UPDATE imagegate.accounts SET password_hash = p_new_hash WHERE id = p_id AND password_hash = p_old_hash;
END;
COMMENT ON FUNCTION imagegate.account_rehash(text, text, text) IS
	'replaces a hash by a stronger one of the same password, unless it has been changed in between';

CREATE FUNCTION imagegate.account_by_id(p_id text)
	RETURNS TABLE (login text, generation bigint, disabled boolean, created_at timestamptz)
	LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT a.login, a.generation, a.disabled, a.created_at FROM imagegate.accounts a WHERE a.id = p_id;
END;
COMMENT ON FUNCTION imagegate.account_by_id(text) IS 'what a token''s owner may know and be checked for; no row if there is no such account';


-- A new function is everybody's to call until it is taken away.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA imagegate FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
REVOKE USAGE ON TYPE imagegate.account_id, imagegate.login, imagegate.password_hash, imagegate.generation FROM PUBLIC;

GRANT USAGE ON SCHEMA imagegate TO accounts, revocations;
GRANT EXECUTE ON FUNCTION
	imagegate.account_create(text, text),
	imagegate.account_login_taken(text),
	imagegate.account_by_login(text),
	imagegate.account_logged_in(text),
	imagegate.account_rehash(text, text, text),
	imagegate.account_by_id(text)
TO accounts;
GRANT SELECT ON imagegate.revocations TO revocations;
