-- Sessions (target is null) and former keys of sessions: pointers to the key that replaced them, and markers of keys
-- that were retired less than a minute ago (target is the key itself).
-- user_id is binary: text columns would compare 'bob' and 'bob ' as equal.
CREATE TABLE IF NOT EXISTS carafe_sessions (
    store_key     BINARY(32)   NOT NULL PRIMARY KEY COMMENT 'SHA-256 of the id',
    target        BINARY(32)   COMMENT 'of a key that a session had before',
    data          LONGTEXT     NOT NULL COMMENT 'JSON text, kept to the byte',
    user_id       VARBINARY(255),
    handle        BINARY(12)   NOT NULL,
    device        LONGTEXT,
    created       BIGINT       NOT NULL COMMENT 'times are seconds since 1970, UTC',
    renewed       BIGINT       NOT NULL,
    last_seen     BIGINT       NOT NULL,
    expires       BIGINT       NOT NULL,
    authenticated BIGINT,
    renewal       VARBINARY(255) COMMENT 'opaque',
    version       BIGINT       NOT NULL,
    KEY carafe_sessions_expires (expires),
    KEY carafe_sessions_of_user (user_id, renewed, handle),
    KEY carafe_sessions_renewed (renewed, handle),
    KEY carafe_sessions_handle (handle),
    KEY carafe_sessions_created (created)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- The sweep lease: of several processes, only one sweeps until it expires.
CREATE TABLE IF NOT EXISTS carafe_sessions_sweep (only_one SMALLINT NOT NULL PRIMARY KEY, claimed_until BIGINT NOT NULL) ENGINE = InnoDB;
INSERT IGNORE INTO carafe_sessions_sweep (only_one, claimed_until) VALUES (1, 0);
CREATE TABLE IF NOT EXISTS carafe_sessions_schema (version BIGINT PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO carafe_sessions_schema (version) VALUES (2);
