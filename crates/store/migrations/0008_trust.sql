-- Trust bundles that central made (docs/adr/0037): the newest says what the next one must be above.
CREATE TABLE trust_bundle (
    serial         INTEGER PRIMARY KEY,
    made_at_ms     INTEGER NOT NULL,
    content_sha256 TEXT    NOT NULL
) STRICT;
