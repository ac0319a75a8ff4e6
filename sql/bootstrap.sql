-- What only the superuser can do in database imagegate. Run at each start, in single-user mode: every statement must be
-- repeatable, and ends with a semicolon and an empty line.

-- Nobody enters a database without having been let in.
REVOKE ALL ON DATABASE imagegate, postgres, template1 FROM PUBLIC;

-- No code of their own (DO, CREATE FUNCTION) for service roles.
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;

GRANT USAGE ON LANGUAGE plpgsql TO imagegate_owner;

-- The role monitoring gets it from there.
GRANT pg_monitor TO imagegate_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;

-- Whoever monitors sees the statements that run. Those of operators and of migrations may hold password hashes.
ALTER ROLE imagegate_owner SET track_activities = off;

GRANT SET ON PARAMETER track_activities TO imagegate_owner;

-- PostgreSQL lets everybody make large objects, that is fill the disk, and take advisory locks, that is block a migration.
DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN
		SELECT oid FROM pg_catalog.pg_proc
		WHERE pronamespace = 'pg_catalog'::regnamespace
		  AND proname ~ '^(lo_|loread|lowrite|pg_(try_)?advisory_)'
	LOOP
		EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO imagegate_owner', f);
	END LOOP;
END
$$;

