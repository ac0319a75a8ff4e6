-- What each role may do, and that it may do nothing else.
\ir begin.sql
SELECT no_plan();

-- What the catalogue says, of everything that there is.

SELECT set_eq('SELECT * FROM functions_of($$accounts$$)', ARRAY[
	'imagegate.account_by_id', 'imagegate.account_by_login', 'imagegate.account_change_password',
	'imagegate.account_create', 'imagegate.account_log_out', 'imagegate.account_logged_in',
	'imagegate.account_login_taken', 'imagegate.account_rehash', 'imagegate.audit_from',
	'imagegate.audit_login_failed'
], 'functions_of_accounts');
SELECT is_empty('SELECT * FROM functions_of($$revocations$$)', 'functions_of_revocations');
SELECT is_empty('SELECT * FROM functions_of($$monitoring$$)', 'functions_of_monitoring');
SELECT set_eq('SELECT * FROM functions_of($$admin$$)', ARRAY[
	'admin.account_create', 'admin.account_delete', 'admin.account_disable', 'admin.account_enable',
	'admin.account_revoke', 'admin.account_set_password', 'admin.audit_keep'
], 'functions_of_operators');

SELECT is_empty('SELECT * FROM tables_of($$accounts$$)', 'tables_of_accounts');
SELECT set_eq('SELECT * FROM tables_of($$revocations$$)', ARRAY['imagegate.revocations SELECT'], 'tables_of_revocations');
SELECT is_empty('SELECT * FROM tables_of($$monitoring$$)', 'tables_of_monitoring');
SELECT set_eq('SELECT * FROM tables_of($$admin$$)', ARRAY['admin.accounts SELECT', 'admin.audit SELECT'], 'tables_of_operators');

SELECT is_empty($$
	SELECT classid::regclass, objid FROM pg_shdepend
	WHERE deptype = 'o' AND refobjid IN (SELECT oid FROM pg_roles WHERE rolname IN ('accounts', 'revocations', 'monitoring', 'admin'))
$$, 'they own nothing');
SELECT is_empty($$
	SELECT FROM pg_auth_members WHERE member::regrole::text IN ('accounts', 'revocations', 'monitoring', 'admin')
	AND (member, roleid) <> ('monitoring'::regrole, 'pg_monitor'::regrole)
$$, 'they are in no other role, but for monitoring in pg_monitor');
SELECT is_empty($$
	SELECT rolname FROM pg_roles WHERE rolname IN ('accounts', 'revocations', 'monitoring', 'admin')
	AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
$$, 'they have no attribute but LOGIN');
SELECT is_empty($$
	SELECT name FROM pg_settings, unnest(ARRAY['accounts', 'revocations', 'monitoring', 'admin']) role
	WHERE has_parameter_privilege(role, name, 'ALTER SYSTEM')
$$, 'they change no setting of the server');
SELECT is_empty($$
	SELECT role, name FROM unnest(ARRAY['accounts', 'revocations', 'monitoring']) role, unnest(ARRAY['statement_timeout',
		'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout']) name
	WHERE NOT EXISTS (
		SELECT FROM pg_db_role_setting, unnest(setconfig) AS s
		WHERE setrole = role::regrole AND setdatabase = 0 AND s ~ ('^' || name || '=[1-9][0-9]*m?s$')
	)
$$, 'each wait of a service role has a limit');

-- What comes of trying it.

CREATE TEMPORARY TABLE denied (statement text);
GRANT SELECT ON denied TO PUBLIC;
INSERT INTO denied VALUES
	('SELECT FROM imagegate.accounts'),
	($$INSERT INTO imagegate.accounts (id, login, password_hash) VALUES ('', '', '')$$),
	('UPDATE imagegate.accounts SET disabled = false'),
	('DELETE FROM imagegate.accounts'),
	('TRUNCATE imagegate.accounts'),
	('LOCK TABLE imagegate.accounts IN ACCESS SHARE MODE'),
	('SELECT FROM imagegate.migrations'),
	($$INSERT INTO imagegate.revocations VALUES ('', 0, now())$$),
	('UPDATE imagegate.revocations SET generation = 0'),
	('DELETE FROM imagegate.revocations'),
	('TRUNCATE imagegate.revocations'),
	('SELECT FROM imagegate.revocations FOR UPDATE'),
	('LOCK TABLE imagegate.revocations IN EXCLUSIVE MODE'),
	('DROP TABLE imagegate.revocations'),
	('DROP FUNCTION imagegate.account_create'),
	($$SELECT imagegate.account_revoke('0123456789abcdef')$$),
	('SELECT imagegate.account_id_new()'),
	($$SELECT imagegate.account_named('x')$$),
	('SELECT FROM imagegate.audit'),
	($$INSERT INTO imagegate.audit (action) VALUES ('login')$$),
	($$UPDATE imagegate.audit SET login = 'x'$$),
	('DELETE FROM imagegate.audit'),
	('TRUNCATE imagegate.audit'),
	('ALTER TABLE imagegate.accounts DISABLE TRIGGER accounts_audit'),
	($$UPDATE imagegate.audit_retention SET keep = '1 day'$$),
	($$SELECT imagegate.audit_write('login', NULL, 'x')$$),
	('SELECT imagegate.audit_trim(2000001)'),
	('CREATE TABLE imagegate.x (l imagegate.login)'),
	('CREATE TABLE imagegate.x ()'),
	('CREATE TEMPORARY TABLE x ()'),
	('CREATE SCHEMA x'),
	('CREATE ROLE x'),
	('CREATE FUNCTION imagegate.x() RETURNS int LANGUAGE sql AS $x$SELECT 1$x$'),
	('CREATE EXTENSION pgcrypto SCHEMA imagegate'),
	($$SET log_statement = 'all'$$),
	('SET ROLE imagegate_owner'),
	('GRANT imagegate_owner TO accounts'),
	('DO $x$ BEGIN END $x$'),
	($$COPY (SELECT 1) TO PROGRAM 'true'$$),
	($$COPY (SELECT 1) TO '/tmp/x'$$),
	($$SELECT pg_read_file('/etc/passwd')$$),
	($$SELECT pg_ls_dir('/')$$),
	('SELECT pg_reload_conf()'),
	('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS DISTINCT FROM current_user'),
	('SELECT lo_create(1)'),
	($$SELECT lo_from_bytea(0, 'x')$$),
	($$SELECT lo_import('/etc/passwd')$$),
	('SELECT pg_advisory_lock(1)'),
	('SELECT pg_try_advisory_xact_lock(1)'),
	('SELECT * FROM pg_authid'),
	('SELECT * FROM pg_hba_file_rules');

CREATE TEMPORARY TABLE denied_to_services (statement text);
GRANT SELECT ON denied_to_services TO PUBLIC;
INSERT INTO denied_to_services VALUES
	('SELECT FROM admin.accounts'),
	('SELECT FROM admin.audit'),
	($$SELECT admin.account_disable('x')$$),
	($$SELECT admin.account_revoke('x')$$),
	($$SELECT admin.account_delete('x')$$),
	($$SELECT admin.audit_keep('1 day')$$),
	($$ALTER ROLE admin PASSWORD 'x'$$),
	('SET ROLE admin');

SET SESSION AUTHORIZATION accounts;
SELECT throws_ok(statement, '42501', NULL, 'accounts: ' || statement) FROM denied;
SELECT throws_ok(statement, '42501', NULL, 'accounts: ' || statement) FROM denied_to_services;
SELECT throws_ok('SELECT FROM imagegate.revocations', '42501', NULL, 'accounts: reads no revocations');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION revocations;
SELECT throws_ok(statement, '42501', NULL, 'revocations: ' || statement) FROM denied;
SELECT throws_ok(statement, '42501', NULL, 'revocations: ' || statement) FROM denied_to_services;
SELECT throws_ok('SELECT imagegate.' || call, '42501', NULL, 'revocations: ' || call) FROM unnest(ARRAY[
	$$account_create('x', 'x')$$, $$account_login_taken('x')$$, $$account_by_login('x')$$, $$account_logged_in('x')$$,
	$$account_rehash('x', 'x', 'x')$$, $$account_by_id('x')$$, $$account_log_out('x', 0)$$,
	$$account_change_password('x', 0, 'x', 'x')$$, $$audit_from('192.0.2.1')$$, $$audit_login_failed('x', '192.0.2.1')$$
]) AS call;
SELECT lives_ok('SELECT FROM imagegate.revocations', 'revocations: reads its table');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION monitoring;
SELECT throws_ok(statement, '42501', NULL, 'monitoring: ' || statement) FROM denied;
SELECT throws_ok(statement, '42501', NULL, 'monitoring: ' || statement) FROM denied_to_services;
SELECT throws_ok('SELECT FROM imagegate.revocations', '42501', NULL, 'monitoring: reads no revocations');
SELECT lives_ok('SELECT query FROM pg_stat_activity', 'monitoring: reads the statistics');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION admin;
SELECT throws_ok(statement, '42501', NULL, 'operators: ' || statement) FROM denied;
SELECT throws_ok(statement, '42501', NULL, 'operators: ' || statement) FROM unnest(ARRAY[
	'CREATE TABLE admin.x ()', 'DELETE FROM admin.audit', $$UPDATE admin.audit SET login = 'x'$$,
	$$INSERT INTO admin.audit (action) VALUES ('login')$$
]) AS statement;
SELECT lives_ok('SELECT FROM admin.accounts, admin.audit', 'operators: read their views');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
