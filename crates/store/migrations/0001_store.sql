-- Version 1. A released file of this folder is never edited: a change is a new file with the next number.
-- Moments are milliseconds since 1970 UTC by central's clock unless the name says machine_at.
-- No column holds a label, a name, a NIK or KK number, document bytes or a key that opens a document.
CREATE TABLE machine (
    id                   TEXT PRIMARY KEY,
    office               TEXT    NOT NULL,
    report_key           TEXT    NOT NULL,
    record_key_id        TEXT    NOT NULL, -- sealing key of the authority's record, to see when that changes
    key_id               TEXT    NOT NULL, -- sealing key in use
    sealing_public_key   TEXT    NOT NULL,
    certificate_serial   TEXT    NOT NULL,
    enrolled_at_ms       INTEGER NOT NULL,
    is_online            INTEGER NOT NULL DEFAULT 0 CHECK (is_online IN (0, 1)),
    online_changed_at_ms INTEGER,
    last_seen_at_ms      INTEGER,
    session_seq          INTEGER NOT NULL DEFAULT 0,
    session_epoch        TEXT,               -- the life of the journal that counts the sessions
    boot_id              TEXT,
    software             TEXT,
    config_hash          TEXT,
    generation           INTEGER NOT NULL DEFAULT 0, -- its present row of journal_life; 0 for none
    last_command_seq     INTEGER NOT NULL DEFAULT 0,
    lost_report_count    INTEGER NOT NULL DEFAULT 0,
    journal_lost_count   INTEGER NOT NULL DEFAULT 0,
    heartbeat            TEXT,
    heartbeat_at_ms      INTEGER
) STRICT, WITHOUT ROWID;

-- One life of a machine's journal as central met it: a new epoch or a rollback begins the next.
CREATE TABLE journal_life (
    machine           TEXT    NOT NULL REFERENCES machine (id),
    generation        INTEGER NOT NULL,
    epoch             TEXT    NOT NULL,
    committed_seq     INTEGER NOT NULL,
    PRIMARY KEY (machine, generation)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_life_by_epoch ON journal_life (machine, epoch, generation);

-- What stood at the last committed places, to tell a repetition from another report under the same number.
CREATE TABLE report_mark (
    machine    TEXT    NOT NULL REFERENCES machine (id),
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    mark       BLOB    NOT NULL CHECK (length(mark) = 32),
    PRIMARY KEY (machine, generation, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    machine        TEXT    NOT NULL REFERENCES machine (id),
    name           TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    reasons        TEXT    NOT NULL, -- JSON list of keywords
    model          TEXT,
    machine_at_ms  INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    since_ms       INTEGER NOT NULL,
    PRIMARY KEY (machine, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    id                  TEXT PRIMARY KEY,
    reference           TEXT    NOT NULL,
    service             TEXT    NOT NULL,
    class               TEXT    NOT NULL,
    release             TEXT    NOT NULL,
    machine             TEXT    NOT NULL REFERENCES machine (id),
    office              TEXT    NOT NULL,
    not_after_ms        INTEGER NOT NULL,
    due_at_ms           INTEGER NOT NULL,
    created_at_ms       INTEGER NOT NULL,
    document_sha256     TEXT    NOT NULL,
    revision_sha256     TEXT    NOT NULL,
    content_sha256      TEXT    NOT NULL,
    page_count          INTEGER NOT NULL,
    size_bytes          INTEGER NOT NULL,
    blob_sha256         TEXT    NOT NULL,
    blob_size_bytes     INTEGER NOT NULL,
    reprint_of          TEXT,
    reprint_reason      TEXT,
    idempotency_sha256  TEXT UNIQUE,
    request_sha256      TEXT,
    folder_sha256       TEXT,
    secrets_dropped     INTEGER NOT NULL DEFAULT 0 CHECK (secrets_dropped IN (0, 1)),
    -- what changes: a fold over the job's rows in the history
    state               TEXT    NOT NULL,
    reason              TEXT,
    state_at_ms         INTEGER NOT NULL,
    epoch               TEXT,
    command_seq         INTEGER,
    offer_count         INTEGER NOT NULL,
    next_offer_at_ms    INTEGER NOT NULL,
    cancel_asked        INTEGER NOT NULL CHECK (cancel_asked IN (0, 1)),
    ended_at_ms         INTEGER,
    ended_by            TEXT,
    reported_generation INTEGER,
    reported_seq        INTEGER,
    attempt             INTEGER,
    sheet_count         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX job_by_age ON job (created_at_ms, id);
CREATE INDEX job_by_content ON job (content_sha256, created_at_ms);
CREATE INDEX job_by_folder ON job (folder_sha256) WHERE folder_sha256 IS NOT NULL;
CREATE INDEX job_by_state ON job (state, created_at_ms);
CREATE INDEX job_by_machine ON job (machine, created_at_ms, id);
CREATE INDEX job_by_office ON job (office, created_at_ms, id);
CREATE INDEX job_open ON job (machine, id) WHERE ended_at_ms IS NULL;
CREATE INDEX job_with_secrets ON job (id) WHERE ended_at_ms IS NOT NULL AND secrets_dropped = 0;

-- Jobs by state, kept by the file itself: metrics are read every few seconds, and years of jobs are not.
CREATE TABLE state_count (
    state TEXT PRIMARY KEY,
    jobs  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER job_is_counted AFTER INSERT ON job
BEGIN
    INSERT INTO state_count (state, jobs) VALUES (NEW.state, 1)
    ON CONFLICT (state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER job_is_counted_elsewhere AFTER UPDATE OF state ON job WHEN NEW.state <> OLD.state
BEGIN
    UPDATE state_count SET jobs = jobs - 1 WHERE state = OLD.state;
    INSERT INTO state_count (state, jobs) VALUES (NEW.state, 1)
    ON CONFLICT (state) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TABLE quarantine (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    machine        TEXT    NOT NULL REFERENCES machine (id),
    epoch          TEXT    NOT NULL,
    event_seq      INTEGER NOT NULL,
    code           TEXT    NOT NULL,
    payload_sha256 TEXT    NOT NULL,
    received_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE token (
    name          TEXT PRIMARY KEY,
    token_sha256  TEXT    NOT NULL UNIQUE,
    role          TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Each row's sha256 covers the row before; the triggers stop honest mistakes, the chain shows dishonest ones.
CREATE TABLE history (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms  INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    job    TEXT,
    machine TEXT,
    kind   TEXT    NOT NULL,
    body   TEXT    NOT NULL,
    sha256 BLOB    NOT NULL CHECK (length(sha256) = 32)
) STRICT;
CREATE INDEX history_by_job ON history (job, seq) WHERE job IS NOT NULL;
CREATE TRIGGER history_is_not_altered BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER history_is_not_shortened BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
