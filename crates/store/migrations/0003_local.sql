-- Version 3: jobs that a person gave to a machine by hand (docs/adr/0016). Central ordered none of them and has no
-- document: their due_at_ms is past every moment, and columns of what central took in are '' or 0. revision_sha256,
-- size_bytes and page_count are filled once the machine has said what it verified.
ALTER TABLE job ADD COLUMN local TEXT; -- JSON of what the machine says of it; NULL for what central ordered
CREATE INDEX job_local ON job (created_at_ms, id) WHERE local IS NOT NULL;
CREATE INDEX job_by_revision ON job (revision_sha256) WHERE revision_sha256 <> '';

-- Of the jobs counted in state_count, those given by hand.
CREATE TABLE local_count (
    state TEXT PRIMARY KEY,
    jobs  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER local_job_is_counted AFTER INSERT ON job WHEN NEW.local IS NOT NULL
BEGIN
    INSERT INTO local_count (state, jobs) VALUES (NEW.state, 1)
    ON CONFLICT (state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER local_job_is_counted_elsewhere AFTER UPDATE OF state ON job
WHEN NEW.local IS NOT NULL AND NEW.state <> OLD.state
BEGIN
    UPDATE local_count SET jobs = jobs - 1 WHERE state = OLD.state;
    INSERT INTO local_count (state, jobs) VALUES (NEW.state, 1)
    ON CONFLICT (state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER local_job_is_counted_no_more AFTER DELETE ON job WHEN OLD.local IS NOT NULL
BEGIN
    UPDATE local_count SET jobs = jobs - 1 WHERE state = OLD.state;
END;
