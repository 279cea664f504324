//! A file of an earlier version is brought to the present one with all that it holds.

use std::path::Path;

use loket_store::{AsideCount, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use crate::world::at;

/// A file as version 2 of the schema left it.
fn version_2(path: &Path) {
    let file = Connection::open(path).unwrap();
    for step in [
        include_str!("../../migrations/0001_store.sql"),
        include_str!("../../migrations/0002_console.sql"),
        "INSERT INTO machine (id, office, report_key, record_key_id, key_id, sealing_public_key,
             certificate_serial, enrolled_at_ms) VALUES ('desa-1', 'kec-1', 'r', 'k', 'k', 's', '01', 0);
         INSERT INTO quarantine (machine, epoch, event_seq, code, payload_sha256, received_at_ms) VALUES
             ('desa-1', '00', 1, 'C-201', 'aa', 5), ('desa-1', '00', 2, 'C-201', 'bb', 7),
             ('desa-1', '00', 3, 'S-101', 'cc', 6);
         PRAGMA user_version = 2;",
    ] {
        file.execute_batch(step).unwrap();
    }
}

#[test]
fn what_version_2_set_aside_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    version_2(&path);
    assert!(matches!(
        SqliteStore::open_to_read(&path),
        Err(StoreError::TooOld)
    ));
    let store = SqliteStore::open(&path).unwrap();
    let counts = store.quarantine_counts().unwrap();
    let expected = AsideCount {
        total: 3,
        counted_only: 0,
    };
    assert_eq!(counts[&"desa-1".parse().unwrap()], expected);
    assert_eq!(store.counts(at(1)).unwrap().quarantined, 3);
}
