-- What the functions do, by the roles that call them.  What several sessions do at once is in test_sql.py.
\ir begin.sql
SELECT no_plan();
\set hash '''$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$UjBiVZ4GS2GLCutBTVSJ2BTERlFVTk8Q7SbubxW4nu4'''
\set hash2 '''$pbkdf2-sha256$600000$EBESExQVFhcYGRobHB0eHw$kGk.1hBOnwqtriRGWC4PVOo1T/YbpIOXqCQbT61FO9s'''
\set nobody '''0000000000000000'''

SELECT is(count(DISTINCT id), 2000::bigint, 'ids differ')
FROM (SELECT imagegate.account_id_new() AS id FROM generate_series(1, 2000)) ids;
SELECT is_empty($$
	SELECT place FROM (SELECT imagegate.account_id_new() AS id FROM generate_series(1, 2000)) ids, generate_series(1, 16) place
	GROUP BY place
	HAVING string_agg(DISTINCT substr(id, place, 1), '' ORDER BY substr(id, place, 1)) <> '0123456789abcdefghijklmnopqrstuv'
$$, 'ids use the whole alphabet at each place');

-- The pool.
SET SESSION AUTHORIZATION accounts;
SELECT imagegate.account_create('Bob', :hash) AS id \gset
SELECT matches(:'id'::text, '^[0-9a-v]{16}$', 'an account is created');
SELECT is(imagegate.account_create('bOB', :hash), NULL::text, 'a login is taken in any case');
SELECT results_eq(format('SELECT * FROM imagegate.account_by_login(%L)', login),
	format('VALUES (%L, %L, %L, 0::bigint, false)', :'id', 'Bob', :hash), 'by login ' || login)
FROM unnest(ARRAY['Bob', 'BOB', 'bob']) AS login;
SELECT results_eq(format('SELECT login, generation, disabled FROM imagegate.account_by_id(%L)', :'id'),
	$$VALUES ('Bob', 0::bigint, false)$$, 'by id');
SELECT is_empty($$SELECT * FROM imagegate.account_by_login('nobody')$$, 'nobody, by login');
SELECT is_empty($$SELECT * FROM imagegate.account_by_id('nobody')$$, 'nobody, by id');
SELECT ok(imagegate.account_login_taken('BOB'), 'taken');
SELECT ok(NOT imagegate.account_login_taken('nobody'), 'not taken');

SELECT imagegate.account_rehash(:'id', :hash2, :hash2);
SELECT is(password_hash, :hash, 'a hash that has changed is not replaced') FROM imagegate.account_by_login('bob');
SELECT imagegate.account_rehash(:'id', :hash, :hash2);
SELECT is(password_hash, :hash2, 'a hash is replaced') FROM imagegate.account_by_login('bob');

SELECT ok(NOT imagegate.account_change_password(id, generation, old, :hash), 'no change: ' || why) FROM (VALUES
	(:'id', 0, :hash, 'another hash'), (:'id', 1, :hash2, 'another generation'), (:nobody, 0, :hash2, 'nobody')
) AS late (id, generation, old, why);
SELECT throws_ok(format('SELECT imagegate.account_change_password(%L, 0, %L, %L)', :'id', :hash2, 'secret'), '23514', NULL,
	'no change to no hash');
SELECT ok(imagegate.account_change_password(:'id', 0, :hash2, :hash), 'a change');
SELECT results_eq($$SELECT password_hash, generation FROM imagegate.account_by_login('bob')$$,
	format('VALUES (%L, 1::bigint)', :hash), 'replaces the hash and ends the tokens');

SELECT ok(imagegate.account_log_out(id, generation) IS FALSE, format('no logout: %L, %s', id, generation)) FROM (VALUES
	(:'id', 0), (:'id', 2), (:'id', -1), (:nobody, 1), ('', 1), (NULL, 1)
) AS late (id, generation);
SELECT ok(imagegate.account_log_out(:'id', 1), 'a logout');
SELECT is(generation, 2::bigint, 'ends the tokens') FROM imagegate.account_by_id(:'id');
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION revocations;
SELECT results_eq('SELECT account::text, generation::bigint FROM imagegate.revocations', format('VALUES (%L, 2::bigint)', :'id'),
	'the list has the last generation');
SELECT ok(until - now() BETWEEN '24 hours' AND '25 hours', 'for as long as a token can live') FROM imagegate.revocations;
RESET SESSION AUTHORIZATION;

-- Operators.
INSERT INTO imagegate.revocations VALUES (:nobody, 1, now() - interval '1 second');
SET SESSION AUTHORIZATION admin;
SELECT throws_ok(format('SELECT admin.%s', call), 'P0001', 'no account "nobody"', call) FROM unnest(ARRAY[
	$$account_disable('nobody')$$, $$account_enable('nobody')$$, $$account_revoke('nobody')$$, $$account_delete('nobody')$$,
	format('account_set_password(%L, %L)', 'nobody', :hash)
]) AS call;
SELECT throws_ok(format('SELECT admin.account_create(%L, %L)', 'BOB', :hash), 'P0001', 'login "BOB" is taken', 'taken');
SELECT matches(admin.account_create('carol', :hash), '^[0-9a-v]{16}$', 'an operator creates');

SELECT is(admin.account_disable('BOB'), :'id', 'disables');
SELECT results_eq($$SELECT login, disabled FROM admin.accounts WHERE login = 'Bob'$$, $$VALUES ('Bob', true)$$, 'which shows');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION accounts;
SELECT results_eq($$SELECT generation, disabled FROM imagegate.account_by_login('bob')$$, 'VALUES (3::bigint, true)',
	'and ends the tokens');
SELECT ok(NOT imagegate.account_log_out(:'id', 3), 'who is disabled cannot log out');
SELECT ok(NOT imagegate.account_change_password(:'id', 3, :hash, :hash2), 'nor change a password');
RESET SESSION AUTHORIZATION;
SELECT is_empty('SELECT FROM imagegate.revocations WHERE until < now()', 'a revocation drops those that are over');

SET SESSION AUTHORIZATION admin;
SELECT is(admin.account_enable('bob'), :'id', 'enables');
SELECT is(admin.account_revoke('bob'), :'id', 'revokes');
SELECT is(admin.account_set_password('bob', :hash2), :'id', 'sets a password');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION accounts;
SELECT results_eq($$SELECT password_hash, generation, disabled FROM imagegate.account_by_login('bob')$$,
	format('VALUES (%L, 5::bigint, false)', :hash2), 'old tokens stay dead');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION admin;
SELECT is(admin.account_delete('BOB'), :'id', 'deletes');
SELECT throws_ok($$SELECT admin.account_delete('bob')$$, 'P0001', 'no account "bob"', 'once');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION accounts;
SELECT is_empty(format('SELECT * FROM imagegate.account_by_id(%L)', :'id'), 'nobody has the id');
SELECT isnt(imagegate.account_create('bob', :hash), :'id', 'the login is free, for another id');
RESET SESSION AUTHORIZATION;
SELECT results_eq(format('SELECT generation::bigint FROM imagegate.revocations WHERE account = %L', :'id'), 'VALUES (6::bigint)',
	'the revocation outlives the account');

SELECT * FROM finish();
ROLLBACK;
