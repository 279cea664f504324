-- What is known of the copy that a machine may hold of a job whose journal was lost, and when it is asked again.
ALTER TABLE job ADD COLUMN copy TEXT;
ALTER TABLE job ADD COLUMN ask_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN next_ask_at_ms INTEGER NOT NULL DEFAULT 0;

-- Of jobs that are lost at present no machine was asked; and what a person said stays.
UPDATE job SET copy = 'unheard' WHERE state = 'unknown' AND reason = 'journal-lost';
UPDATE job SET ended_by = 'person'
    WHERE ended_by = 'central' AND reason IN ('officer-saw', 'officer-found-none');

CREATE INDEX job_to_ask ON job (machine, next_ask_at_ms) WHERE (copy IS NOT NULL OR cancel_asked = 1) AND (ended_at_ms IS NULL OR copy IS NOT NULL);
-- Called off here while an order was on its way: until its machine says that it holds none.
CREATE INDEX job_with_cancel ON job (machine, id) WHERE ended_at_ms IS NOT NULL AND cancel_asked = 1;
