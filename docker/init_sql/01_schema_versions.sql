-- Which step of which group of tables this schema has had.
--
-- A service applies the steps that are missing when it starts; `psql` or the image's
-- docker-entrypoint-initdb.d may apply the same files, in the order of their names. A step that was
-- released never changes: a change of a table is one more file.

CREATE TABLE IF NOT EXISTS schema_versions (
  name text PRIMARY KEY,
  version integer NOT NULL
);
