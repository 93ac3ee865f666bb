-- Sessions, and aliases of sessions that got a new id a moment ago (target is not null).
-- A user is bytes: text columns would take 'bob' and 'bob ' for the same.
CREATE TABLE IF NOT EXISTS carafe_sessions (
    store_key     BINARY(32)   NOT NULL PRIMARY KEY COMMENT 'SHA-256 of the id',
    target        BINARY(32)   COMMENT 'of an alias: the store_key it leads to',
    data          LONGTEXT     NOT NULL COMMENT 'JSON text, kept to the byte',
    user_id       VARBINARY(255),
    handle        BINARY(12)   NOT NULL,
    device        LONGTEXT,
    created       BIGINT       NOT NULL COMMENT 'times are seconds since 1970, UTC',
    renewed       BIGINT       NOT NULL,
    last_seen     BIGINT       NOT NULL,
    expires       BIGINT       NOT NULL,
    authenticated BIGINT,
    version       BIGINT       NOT NULL,
    KEY carafe_sessions_expires (expires),
    KEY carafe_sessions_user (user_id, renewed),
    KEY carafe_sessions_renewed (renewed, handle),
    KEY carafe_sessions_handle (handle),
    KEY carafe_sessions_created (created)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- Until when somebody has said to sweep: of several processes, one does.
CREATE TABLE IF NOT EXISTS carafe_sessions_sweep (only_one SMALLINT NOT NULL PRIMARY KEY, claimed_until BIGINT NOT NULL) ENGINE = InnoDB;
INSERT IGNORE INTO carafe_sessions_sweep (only_one, claimed_until) VALUES (1, 0);
CREATE TABLE IF NOT EXISTS carafe_sessions_schema (version BIGINT PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO carafe_sessions_schema (version) VALUES (1);
