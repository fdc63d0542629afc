-- Jobs: what was asked, and each step since. The present state is not stored: it follows from the steps.
CREATE TABLE jobs (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    target      TEXT NOT NULL,
    request     TEXT,
    hash        BLOB NOT NULL,
    terms       TEXT NOT NULL,
    accepted_ms INTEGER NOT NULL,
    ended_ms    INTEGER,
    state       TEXT
) STRICT;
CREATE INDEX jobs_open ON jobs (number) WHERE ended_ms IS NULL;
CREATE INDEX jobs_ended ON jobs (ended_ms) WHERE ended_ms IS NOT NULL;
-- A key outlives its job.
CREATE TABLE job_keys (
    key      TEXT PRIMARY KEY,
    job      TEXT NOT NULL,
    hash     BLOB NOT NULL,
    ended_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX job_keys_by_job ON job_keys (job);
CREATE TABLE job_steps (
    job      INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    age_ms   INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    evidence TEXT NOT NULL,
    event    TEXT NOT NULL,
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;
-- One file of one execution, here once.
CREATE TABLE job_outputs (
    job     INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    slot    TEXT NOT NULL,
    name    TEXT NOT NULL,
    bytes   INTEGER NOT NULL,
    sha256  TEXT NOT NULL,
    PRIMARY KEY (job, attempt, place)
) STRICT, WITHOUT ROWID;
-- A file that jobs take as input, copied at acceptance; its name is its hash.
CREATE TABLE job_inputs (
    job    INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (job, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_inputs_by_hash ON job_inputs (sha256);
