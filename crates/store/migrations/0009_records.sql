-- What printed sheets must look like: sealed files beside this one, and here only what finds and ends them
-- (docs/adr/0039). A code is the keyed digest of what a QR code says; without central's audit key it says nothing.
CREATE TABLE match_record (
    job            TEXT    NOT NULL PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    machine        TEXT    NOT NULL REFERENCES machine (id),
    received_at_ms INTEGER NOT NULL,
    keep_until_ms  INTEGER NOT NULL,
    size_bytes     INTEGER NOT NULL,
    sha256         TEXT    NOT NULL
) STRICT;
CREATE INDEX match_record_by_end ON match_record (keep_until_ms);

CREATE TABLE match_code (
    code BLOB NOT NULL CHECK (length(code) = 32),
    job  TEXT NOT NULL REFERENCES match_record (job) ON DELETE CASCADE,
    PRIMARY KEY (code, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_code_by_job ON match_code (job);
