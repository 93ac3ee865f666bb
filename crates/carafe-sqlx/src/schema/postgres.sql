-- Sessions (target is null) and former keys of sessions: pointers to the key that replaced them, and markers of keys
-- that were retired less than a minute ago (target is the key itself).
CREATE TABLE carafe_sessions (
    store_key     BYTEA  PRIMARY KEY CHECK (octet_length(store_key) = 32), -- SHA-256 of the id
    target        BYTEA  CHECK (octet_length(target) = 32),   -- of a key that a session had before
    data          TEXT   NOT NULL,                            -- JSON text, kept to the byte
    user_id       TEXT,
    handle        BYTEA  NOT NULL CHECK (octet_length(handle) = 12),
    device        TEXT,
    created       BIGINT NOT NULL,                            -- times are seconds since 1970, UTC
    renewed       BIGINT NOT NULL,
    last_seen     BIGINT NOT NULL,
    expires       BIGINT NOT NULL,
    authenticated BIGINT,
    renewal       TEXT,                                       -- opaque
    version       BIGINT NOT NULL CHECK (version >= 0)
) WITH (fillfactor = 85);
CREATE INDEX carafe_sessions_expires ON carafe_sessions (expires);
CREATE INDEX carafe_sessions_of_user ON carafe_sessions (user_id, renewed, handle) WHERE user_id IS NOT NULL;
-- For operators. A change of data changes no indexed column, so it stays a heap-only update.
CREATE INDEX carafe_sessions_renewed ON carafe_sessions (renewed, handle) WHERE target IS NULL;
CREATE INDEX carafe_sessions_handle ON carafe_sessions (handle);
CREATE INDEX carafe_sessions_created ON carafe_sessions (created) WHERE target IS NULL;
-- The sweep lease: of several processes, only one sweeps until it expires.
CREATE TABLE carafe_sessions_sweep (only_one SMALLINT NOT NULL PRIMARY KEY, claimed_until BIGINT NOT NULL);
INSERT INTO carafe_sessions_sweep (only_one, claimed_until) VALUES (1, 0);
CREATE TABLE IF NOT EXISTS carafe_sessions_schema (version BIGINT PRIMARY KEY);
INSERT INTO carafe_sessions_schema (version) VALUES (2);
