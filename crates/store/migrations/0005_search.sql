-- What people search by. References are searched without regard to case; the order within one is newest first.
CREATE INDEX job_by_reference ON job (reference COLLATE NOCASE, created_at_ms DESC, id DESC);
-- The last part of a job's id, which pages show as its number.
CREATE INDEX job_by_number ON job (substr(id, -12));
