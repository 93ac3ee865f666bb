-- Carafe's session tables, version 2. Times are Unix timestamps in seconds.
--
-- `sessions` has a rowid: WITHOUT ROWID saves 0.3 µs per read for rows of 300 bytes, but costs 12 µs and an
-- overflow page for each row over 1,000 bytes, because rows are then stored in the nodes of an index.
CREATE TABLE sessions (
    key           BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32), -- SHA-256 of the id in the cookie
    handle        TEXT    NOT NULL,  -- the public id: 16 characters, kept when the id changes
    user          TEXT,
    device        TEXT,
    created       INTEGER NOT NULL,
    renewed       INTEGER NOT NULL,  -- when the current id was issued
    last_seen     INTEGER NOT NULL,
    expires       INTEGER NOT NULL,  -- the first second in which the session is expired
    authenticated INTEGER,
    version       INTEGER NOT NULL,  -- number of changes
    renewal       TEXT,              -- the timed renewal that issued the current id; opaque
    data          TEXT    NOT NULL   -- JSON with Flask's tags; the last column, so that reads of others skip it
) STRICT;

CREATE INDEX sessions_of_user ON sessions (user, renewed, handle) WHERE user IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires);

-- For operators. A change of data writes none of these indices, and a new id only the first. The last one
-- takes 14 bytes per session; without it, deleting all sessions created before a time scans the table.
CREATE INDEX sessions_by_renewal ON sessions (renewed, handle);
CREATE INDEX sessions_of_handle ON sessions (handle);
CREATE INDEX sessions_by_start ON sessions (created);

-- Former keys of sessions. A pointer leads to a session that a timed renewal moved to a new key; a marker (`leads_to` is
-- NULL) records that the key was retired less than a minute ago. The primary key comes first, as it
-- is stored: otherwise `PRAGMA integrity_check` of SQLite 3.40 reads the wrong column and reports a NULL.
CREATE TABLE session_former_keys (
    key        BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    leads_to   BLOB,                 -- sessions.key, never another former key; NULL for a marker
    kept_until INTEGER NOT NULL      -- from this second on, a marker is expired and a pointer may be removed
) STRICT, WITHOUT ROWID;

CREATE INDEX session_former_keys_of ON session_former_keys (leads_to) WHERE leads_to IS NOT NULL;
CREATE INDEX session_former_keys_by_end ON session_former_keys (kept_until);

-- The sweep lease: of several processes, only one sweeps until it expires.
CREATE TABLE session_sweep (claimed_until INTEGER NOT NULL) STRICT;
INSERT INTO session_sweep VALUES (0);

PRAGMA user_version = 2;
