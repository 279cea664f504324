-- What an answered sync is to settle in a life of a machine's journal (docs/adr/0029).
-- A report differed from the committed one of its number, and whether the last sync claimed to hold that number.
ALTER TABLE journal_life ADD COLUMN doubted_seq INTEGER;
ALTER TABLE journal_life ADD COLUMN doubt_is_claimed INTEGER NOT NULL DEFAULT 0;
-- Numbers that the last sync claimed to hold though they were committed.
ALTER TABLE journal_life ADD COLUMN overlap_from INTEGER;
ALTER TABLE journal_life ADD COLUMN overlap_to INTEGER;
-- A sync with reports under way named a job that is over here: asked again once they are through.
ALTER TABLE journal_life ADD COLUMN relist_seq INTEGER;
-- The number at which earlier reports were missing when the machine was asked for that.
ALTER TABLE journal_life ADD COLUMN ahead_seq INTEGER;

-- Highest number of a connection in the epoch of session_seq: a journal that was set back counts below it.
ALTER TABLE machine ADD COLUMN session_ceiling INTEGER NOT NULL DEFAULT 0;
