-- What was changed through the API: values in their order, and what was taken out (no value).
CREATE TABLE edits (
    place INTEGER PRIMARY KEY,
    path  TEXT NOT NULL UNIQUE,
    value TEXT
) STRICT;
-- Servers that were found, each at the last address where it answered.
CREATE TABLE known (
    place    INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    url      TEXT NOT NULL,
    identity TEXT NOT NULL,
    title    TEXT,
    adopted  INTEGER NOT NULL CHECK (adopted IN (0, 1))
) STRICT;
