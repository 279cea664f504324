-- What devices have left, and what that came from: the forecast of supplies is a pure function of these rows.
ALTER TABLE device ADD COLUMN stock TEXT; -- JSON as the machine said it; NULL while it said nothing of it
ALTER TABLE device ADD COLUMN stock_at_ms INTEGER;

-- Levels of supplies as they were reported; of a device and supply the newest few.
CREATE TABLE stock_reading (
    machine TEXT    NOT NULL,
    device  TEXT    NOT NULL,
    supply  TEXT    NOT NULL, -- kind and colour
    at_ms   INTEGER NOT NULL,
    level   INTEGER NOT NULL, -- percent; -1, -2, -3 as in RFC 3805
    PRIMARY KEY (machine, device, supply, at_ms),
    FOREIGN KEY (machine, device) REFERENCES device (machine, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX stock_reading_by_age ON stock_reading (at_ms);

-- Sheets that a machine printed on a day (of UTC), kept by the file itself: years of jobs are not gone through for them.
CREATE TABLE sheet_day (
    machine    TEXT    NOT NULL REFERENCES machine (id),
    day        INTEGER NOT NULL, -- since 1970
    sheets     INTEGER NOT NULL,
    last_at_ms INTEGER NOT NULL,
    PRIMARY KEY (machine, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX sheet_day_by_age ON sheet_day (day);
CREATE TRIGGER sheets_are_counted AFTER UPDATE OF state ON job WHEN NEW.state = 'printed' AND OLD.state <> 'printed'
BEGIN
    INSERT INTO sheet_day (machine, day, sheets, last_at_ms)
    VALUES (NEW.machine, coalesce(NEW.ended_at_ms, NEW.state_at_ms) / 86400000,
        coalesce(NEW.sheet_count, NEW.page_count), coalesce(NEW.ended_at_ms, NEW.state_at_ms))
    ON CONFLICT (machine, day) DO UPDATE SET sheets = sheets + excluded.sheets,
        last_at_ms = max(last_at_ms, excluded.last_at_ms);
END;
CREATE TRIGGER sheets_are_counted_no_more AFTER UPDATE OF state ON job WHEN OLD.state = 'printed' AND NEW.state <> 'printed'
BEGIN
    UPDATE sheet_day SET sheets = max(sheets - coalesce(OLD.sheet_count, OLD.page_count), 0)
    WHERE machine = OLD.machine AND day = coalesce(OLD.ended_at_ms, OLD.state_at_ms) / 86400000;
END;
-- What was printed before is counted once.
INSERT INTO sheet_day (machine, day, sheets, last_at_ms)
    SELECT machine, coalesce(ended_at_ms, state_at_ms) / 86400000, sum(coalesce(sheet_count, page_count)),
        max(coalesce(ended_at_ms, state_at_ms))
    FROM job WHERE state = 'printed' GROUP BY 1, 2;
