-- What leaves the store after its time, and how much of it one machine may fill (docs/adr/0019).

-- The last line of the history that was removed: where the chain begins. No row while none was. What it says stands in
-- a line of the history as well, so that nobody moves it unseen.
CREATE TABLE history_front (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    seq    INTEGER NOT NULL CHECK (seq > 0),
    sha256 BLOB    NOT NULL CHECK (length(sha256) = 32)
) STRICT;
CREATE TRIGGER history_front_goes_on BEFORE UPDATE ON history_front WHEN NEW.seq <= OLD.seq
BEGIN SELECT RAISE(ABORT, 'the history begins later and later'); END;
CREATE TRIGGER history_front_stays BEFORE DELETE ON history_front
BEGIN SELECT RAISE(ABORT, 'the history begins later and later'); END;
DROP TRIGGER history_is_not_shortened;
CREATE TRIGGER history_is_not_shortened BEFORE DELETE ON history
WHEN OLD.seq > (SELECT coalesce(max(seq), 0) FROM history_front)
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;

CREATE TRIGGER job_is_counted_no_more AFTER DELETE ON job
BEGIN
    UPDATE state_count SET jobs = jobs - 1 WHERE state = OLD.state;
END;

-- What a machine gave cause to set aside or to remark on, by code: all of it counted, the first of each span kept whole.
CREATE TABLE aside_count (
    machine        TEXT    NOT NULL REFERENCES machine (id),
    kind           TEXT    NOT NULL CHECK (kind IN ('report', 'note')),
    code           TEXT    NOT NULL,
    total          INTEGER NOT NULL, -- ever
    counted_only   INTEGER NOT NULL, -- of them beyond the quota
    span_from_ms   INTEGER NOT NULL,
    span_kept      INTEGER NOT NULL, -- one more than the quota once it was passed
    last_epoch     TEXT,
    last_event_seq INTEGER,
    last_sha256    TEXT,
    last_at_ms     INTEGER NOT NULL,
    PRIMARY KEY (machine, kind, code)
) STRICT, WITHOUT ROWID;
INSERT INTO aside_count (machine, kind, code, total, counted_only, span_from_ms, span_kept, last_at_ms)
    SELECT machine, 'report', code, count(*), 0, min(received_at_ms), 0, max(received_at_ms)
    FROM quarantine GROUP BY machine, code;
