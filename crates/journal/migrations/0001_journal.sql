-- Version 1. A released file of this folder is never edited: a change is a new file with the next number.
-- Each checksum is a CRC-32 over the row's other fields (src/checksum.rs): SQLite itself checks
-- the structure of its pages, not the bytes of a value.
CREATE TABLE journal (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    epoch BLOB    NOT NULL CHECK (length(epoch) = 16),
    clean INTEGER NOT NULL CHECK (clean IN (0, 1))
) STRICT;

CREATE TABLE stream (
    name         TEXT PRIMARY KEY,
    closed_at_ms INTEGER
) STRICT, WITHOUT ROWID;
-- Open streams have NULL here: a start finds them without passing the closed ones.
CREATE INDEX stream_closed ON stream (closed_at_ms);

CREATE TABLE event (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    stream   TEXT    NOT NULL REFERENCES stream (name),
    kind     TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    bytes    BLOB    NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX event_by_stream ON event (stream, seq);

CREATE TABLE outbox (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT    NOT NULL,
    bytes    BLOB    NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    key      TEXT PRIMARY KEY,
    bytes    BLOB    NOT NULL,
    checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    stream       TEXT PRIMARY KEY,
    closed_at_ms INTEGER NOT NULL,
    bytes        BLOB    NOT NULL,
    checksum     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_closed ON ledger (closed_at_ms);
