-- The tables of version 1, frozen, with two sessions of one user and an alias.
CREATE TABLE sessions (
    key           BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    handle        TEXT    NOT NULL,
    user          TEXT,
    device        TEXT,
    created       INTEGER NOT NULL,
    renewed       INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    expires       INTEGER NOT NULL,
    authenticated INTEGER,
    version       INTEGER NOT NULL,
    data          TEXT    NOT NULL
) STRICT;

CREATE INDEX sessions_of_user ON sessions (user, renewed) WHERE user IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires);

CREATE INDEX sessions_by_renewal ON sessions (renewed, handle);
CREATE INDEX sessions_of_handle ON sessions (handle);
CREATE INDEX sessions_by_start ON sessions (created);

CREATE TABLE session_aliases (
    alias_of    BLOB    NOT NULL,
    alias_until INTEGER NOT NULL,
    key         BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_aliases_of ON session_aliases (alias_of);
CREATE INDEX session_aliases_by_end ON session_aliases (alias_until);

CREATE TABLE session_sweep (claimed_until INTEGER NOT NULL) STRICT;
INSERT INTO session_sweep VALUES (0);

PRAGMA user_version = 1;

INSERT INTO sessions VALUES (x'0101010101010101010101010101010101010101010101010101010101010101', 'AAAAAAAAAAAAAAAA', 'zoe', 'a device', 3999990000, 3999999990, 3999999995, 4000003600, 3999990000, 3, '{"a":1}');
INSERT INTO sessions VALUES (x'0303030303030303030303030303030303030303030303030303030303030303', 'BBBBBBBBBBBBBBBB', 'zoe', 'a device', 3999990000, 3999999990, 3999999995, 4000003600, 3999990000, 3, '{}');
INSERT INTO session_aliases VALUES (x'0101010101010101010101010101010101010101010101010101010101010101', 4000000030, x'0202020202020202020202020202020202020202020202020202020202020202');
