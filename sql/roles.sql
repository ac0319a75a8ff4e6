-- The roles beside the owner, and what they may do with the database as a whole. A dump holds none of this, so it is not a
-- migration: each run of migrate puts it in order. Passwords follow in migrate itself.

BEGIN;

DO $$
DECLARE
	r name;
BEGIN
	FOREACH r IN ARRAY ARRAY['accounts', 'revocations', 'monitoring', 'admin'] LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = r) THEN
			EXECUTE format('CREATE ROLE %I LOGIN', r);
		END IF;
	END LOOP;
END
$$;

COMMENT ON ROLE accounts IS 'the accounts pool: may execute its functions in schema imagegate';
COMMENT ON ROLE revocations IS 'the revocations process: may read imagegate.revocations';
COMMENT ON ROLE monitoring IS 'the exporter for Prometheus: may read the server''s statistics';
COMMENT ON ROLE admin IS 'operators, by the db container''s own socket only (no password): schema admin';

GRANT CONNECT ON DATABASE imagegate TO accounts, revocations, monitoring, admin;
GRANT pg_monitor TO monitoring;

-- Below the three seconds that the programs wait for an answer.
ALTER ROLE accounts SET statement_timeout = '2500ms';
ALTER ROLE accounts SET lock_timeout = '2s';
ALTER ROLE accounts SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE accounts SET transaction_timeout = '5s';
ALTER ROLE revocations SET statement_timeout = '2500ms';
ALTER ROLE revocations SET lock_timeout = '2s';
ALTER ROLE revocations SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE revocations SET transaction_timeout = '5s';
ALTER ROLE monitoring SET statement_timeout = '2500ms';
ALTER ROLE monitoring SET lock_timeout = '2s';
ALTER ROLE monitoring SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE monitoring SET transaction_timeout = '5s';
ALTER ROLE monitoring CONNECTION LIMIT 5;

-- A forgotten BEGIN in somebody's psql must not keep anybody from logging in.
ALTER ROLE admin SET lock_timeout = '10s';
ALTER ROLE admin SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE admin SET search_path = admin;

-- Whoever monitors must not see the hashes in an operator's statements.
ALTER ROLE admin SET track_activities = off;

COMMIT;
