-- What every object of the schema has, and the rules for its values.
\ir begin.sql
SELECT no_plan();

SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE n.nspname IN ('imagegate', 'admin') AND p.proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp']
$$, 'each function has a search_path');
SELECT is_empty($$
	SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|tap$|imagegate$|admin$)'
$$, 'there is no other schema');
SELECT is_empty($$
	WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('imagegate', 'admin'))
	SELECT 'function ' || p.proname FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
	WHERE obj_description(p.oid, 'pg_proc') IS NULL
	UNION ALL SELECT 'table ' || c.relname FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL
	UNION ALL SELECT 'column ' || c.relname || '.' || a.attname
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN ours n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
	UNION ALL SELECT 'domain ' || t.typname FROM pg_type t JOIN ours n ON n.oid = t.typnamespace
	WHERE t.typtype = 'd' AND obj_description(t.oid, 'pg_type') IS NULL
	UNION ALL SELECT 'schema ' || nspname FROM ours WHERE obj_description(oid, 'pg_namespace') IS NULL
$$, 'everything has a comment');

SELECT col_is_pk('imagegate', 'accounts', 'id', 'an account has one id');
SELECT index_is_unique('imagegate', 'accounts', 'accounts_login', 'a login is taken once');
SELECT index_is_type('imagegate', 'accounts', 'accounts_login', 'btree');
SELECT col_is_pk('imagegate', 'revocations', 'account', 'an account is listed once');
SELECT col_isnt_fk('imagegate', 'revocations', 'account', 'a revocation outlives its account');
SELECT trigger_is('imagegate', 'revocations', 'revocations_notify', 'imagegate', 'revocations_notify');
SELECT trigger_is('imagegate', 'accounts', 'accounts_audit', 'imagegate', 'accounts_audit');

-- The errors name the rule and show no value: they end in somebody's log.
CREATE TEMPORARY TABLE bad (rule text, value text);
INSERT INTO bad VALUES
	('login', NULL), ('login', ''), ('login', 'a b'), ('login', repeat('a', 65)), ('login', 'ä'), ('login', E'a\n'),
	('login', E'\na'), ('login', 'a/b'), ('login', $$'; DROP TABLE imagegate.accounts; --$$),
	('account_id', ''), ('account_id', '0123456789abcdeF'), ('account_id', '0123456789abcdew'),
	('account_id', '0123456789abcde'), ('account_id', '0123456789abcdef0'), ('account_id', E'0123456789abcdef\n'),
	('generation', '-1'),
	('password_hash', NULL), ('password_hash', ''), ('password_hash', 'secret');
\set hash '''$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$UjBiVZ4GS2GLCutBTVSJ2BTERlFVTk8Q7SbubxW4nu4'''
INSERT INTO bad SELECT 'password_hash', unnest(ARRAY[
	:hash || E'\n', :hash || 'A', left(:hash, -1), left(:hash, -1) || '5', replace(:hash, 'sha256', 'sha512'),
	replace(:hash, '29000', '999'), replace(:hash, '29000', '029000'), replace(:hash, '29000', '10000000'),
	replace(:hash, '0ODw', '0ODx'), replace(:hash, 'Uj', '+j')
]);
SELECT throws_matching(
	format('SELECT (%L::text%s)::imagegate.%I', value, CASE rule WHEN 'generation' THEN '::bigint' ELSE '' END, rule),
	'^(value for domain imagegate\.' || rule || ' violates check constraint "[^"]*"|domain imagegate\.' || rule || ' does not allow null values)$',
	format('%s %L', rule, replace(value, E'\n', '\n'))
) FROM bad;
SELECT lives_ok(format('SELECT %L::imagegate.%I', value, rule), format('%s %L', rule, value)) FROM (VALUES
	('login', 'Bob._@+-'), ('login', repeat('a', 64)), ('account_id', '0123456789abcdef'), ('account_id', 'ghijklmnopqrstuv'),
	('password_hash', :hash), ('generation', '0')
) AS good (rule, value);

SELECT throws_ok($$INSERT INTO imagegate.audit (action) VALUES ('something')$$, '23514', NULL, 'no other action');
SELECT throws_ok($$INSERT INTO imagegate.audit_retention (one) VALUES (false)$$, '23514', NULL, 'one retention');
SELECT throws_ok(format('UPDATE imagegate.audit_retention SET keep = %L', keep), '23514', NULL, 'kept for ' || keep)
FROM unnest(ARRAY['23 hours', '11 years', '-1 day', '0']) AS keep;

SELECT * FROM finish();
ROLLBACK;
