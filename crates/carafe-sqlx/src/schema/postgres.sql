-- Sessions, and aliases of sessions that got a new id a moment ago (target is not null).
CREATE TABLE carafe_sessions (
    store_key     BYTEA  PRIMARY KEY CHECK (octet_length(store_key) = 32), -- SHA-256 of the id
    target        BYTEA  CHECK (octet_length(target) = 32),   -- of an alias: the store_key it leads to
    data          TEXT   NOT NULL,                            -- JSON text, kept to the byte
    user_id       TEXT,
    handle        BYTEA  NOT NULL CHECK (octet_length(handle) = 12),
    device        TEXT,
    created       BIGINT NOT NULL,                            -- times are seconds since 1970, UTC
    renewed       BIGINT NOT NULL,
    last_seen     BIGINT NOT NULL,
    expires       BIGINT NOT NULL,
    authenticated BIGINT,
    version       BIGINT NOT NULL CHECK (version >= 0)
) WITH (fillfactor = 85);
CREATE INDEX carafe_sessions_expires ON carafe_sessions (expires);
CREATE INDEX carafe_sessions_user ON carafe_sessions (user_id, renewed) WHERE user_id IS NOT NULL;
-- For operators; a change of data writes none of them, so it stays a heap-only update.
CREATE INDEX carafe_sessions_renewed ON carafe_sessions (renewed, handle) WHERE target IS NULL;
CREATE INDEX carafe_sessions_handle ON carafe_sessions (handle);
CREATE INDEX carafe_sessions_created ON carafe_sessions (created) WHERE target IS NULL;
-- Until when somebody has said to sweep: of several processes, one does.
CREATE TABLE carafe_sessions_sweep (only_one SMALLINT NOT NULL PRIMARY KEY, claimed_until BIGINT NOT NULL);
INSERT INTO carafe_sessions_sweep (only_one, claimed_until) VALUES (1, 0);
CREATE TABLE IF NOT EXISTS carafe_sessions_schema (version BIGINT PRIMARY KEY);
INSERT INTO carafe_sessions_schema (version) VALUES (1);
