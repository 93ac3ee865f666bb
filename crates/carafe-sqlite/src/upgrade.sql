-- Upgrades version 1 to version 2. Missing indices are created afterwards, as for any other file.
ALTER TABLE sessions ADD COLUMN renewal TEXT;
DROP INDEX IF EXISTS sessions_of_user;

CREATE TABLE session_former_keys (
    key        BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    leads_to   BLOB,
    kept_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO session_former_keys (key, leads_to, kept_until) SELECT key, alias_of, alias_until FROM session_aliases;
DROP TABLE session_aliases;

PRAGMA user_version = 2;
