-- Upgrades version 1 to version 2. Missing indices are created afterwards, as for any other table.
ALTER TABLE carafe_sessions ADD COLUMN renewal TEXT;
DROP INDEX IF EXISTS carafe_sessions_user;
INSERT INTO carafe_sessions_schema (version) VALUES (2);
