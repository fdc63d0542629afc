-- What was, of each backend. Times are milliseconds since 1970 (at_ms) or seconds (from_s, to_s).

-- Closed buckets, some in a row: `width` seconds each, packed as `format` says.
CREATE TABLE history_reel (
    backend TEXT NOT NULL,
    run     TEXT NOT NULL,
    width   INTEGER NOT NULL,
    format  INTEGER NOT NULL,
    from_s  INTEGER NOT NULL,
    to_s    INTEGER NOT NULL,
    buckets BLOB NOT NULL
) STRICT;
CREATE INDEX history_reel_age ON history_reel (width, to_s);

-- The phases that a backend entered. Attempts in a row that fail for the same cause are one step.
CREATE TABLE history_step (
    backend    TEXT NOT NULL,
    run        TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    phase      TEXT NOT NULL,
    code       TEXT,
    reason     TEXT,
    times      INTEGER NOT NULL,
    last_at_ms INTEGER NOT NULL,
    UNIQUE (backend, run, at_ms, phase)
) STRICT;

-- The last connection of a backend and what was learned of it, as JSON.
CREATE TABLE backend_memory (
    backend    TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    url        TEXT NOT NULL,
    memory     TEXT NOT NULL,
    written_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
