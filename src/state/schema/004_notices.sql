-- What a person should know. Times are microseconds since 1970.
CREATE TABLE notices (
    id         INTEGER PRIMARY KEY,
    code       TEXT NOT NULL,
    severity   TEXT NOT NULL,
    backend    TEXT,
    subject    TEXT,
    message    TEXT NOT NULL,
    fix        TEXT NOT NULL,
    count      INTEGER NOT NULL,
    first_at   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    cleared_at INTEGER,
    detail     TEXT,
    dismissed  INTEGER NOT NULL
) STRICT;
CREATE INDEX notices_by_end ON notices (cleared_at);
-- Causes that a person does not want to hear of; without an end: for good.
CREATE TABLE notice_mutes (
    code    TEXT NOT NULL,
    backend TEXT,
    subject TEXT,
    until   INTEGER
) STRICT;
