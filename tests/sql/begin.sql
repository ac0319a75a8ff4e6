-- The beginning of every file of tests: pgTAP is in the schema tap, and nothing stays.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = tap, pg_catalog;

-- The functions, and the rights in tables, that a role has outside of PostgreSQL's own schemas and of pgTAP's.
CREATE FUNCTION functions_of(role text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE n.nspname !~ '^(pg_|information_schema|tap$)'
	  AND has_function_privilege(role, p.oid, 'EXECUTE') AND has_schema_privilege(role, n.oid, 'USAGE')
$$;
CREATE FUNCTION tables_of(role text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT n.nspname || '.' || c.relname || ' ' || privilege
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
	     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) privilege
	WHERE n.nspname !~ '^(pg_|information_schema|tap$)' AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
	  AND has_table_privilege(role, c.oid, privilege)
$$;
