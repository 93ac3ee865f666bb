-- Carafe's sessions, version 1. Times are seconds since 1970 in UTC.
--
-- Sessions keep their rowid: WITHOUT ROWID saves 0.3 µs a read for rows of 300 bytes, and for rows past
-- 1,000 bytes it costs 12 µs and a page of overflow each, because rows then live in the nodes of an index.
CREATE TABLE sessions (
    key           BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32), -- SHA-256 of the id in the cookie
    handle        TEXT    NOT NULL,  -- the public name: 16 characters, stays when the id changes
    user          TEXT,
    device        TEXT,
    created       INTEGER NOT NULL,
    renewed       INTEGER NOT NULL,  -- when it got its present id
    last_seen     INTEGER NOT NULL,
    expires       INTEGER NOT NULL,  -- the first second in which it is over
    authenticated INTEGER,
    version       INTEGER NOT NULL,  -- counts the changes
    data          TEXT    NOT NULL   -- JSON with Flask's tags; last, so that large ones keep out of the way
) STRICT;

CREATE INDEX sessions_of_user ON sessions (user, renewed) WHERE user IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires);

-- For operators. No change of data writes any of these, and a new id only the first. The last one takes
-- 14 bytes a session; without it, the end of "end all that began by then" is a look at every row.
CREATE INDEX sessions_by_renewal ON sessions (renewed, handle);
CREATE INDEX sessions_of_handle ON sessions (handle);
CREATE INDEX sessions_by_start ON sessions (created);

-- Old ids that still lead to a session, for requests in flight while it got a new one.
CREATE TABLE session_aliases (
    alias_of    BLOB    NOT NULL,    -- sessions.key, always: an alias never leads to another
    alias_until INTEGER NOT NULL,    -- the first second in which it is dead
    key         BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_aliases_of ON session_aliases (alias_of);
CREATE INDEX session_aliases_by_end ON session_aliases (alias_until);

-- Until when somebody has said to sweep: of several processes, one does.
CREATE TABLE session_sweep (claimed_until INTEGER NOT NULL) STRICT;
INSERT INTO session_sweep VALUES (0);

PRAGMA user_version = 1;
