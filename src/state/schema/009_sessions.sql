-- Sessions of the dashboard: the SHA-256 of each token, never the token.
CREATE TABLE sessions (
    print   BLOB PRIMARY KEY,
    made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
