use std::path::Path;

use loket_store::{HistoryVerdict, Note, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use crate::world::{World, at, central};

/// A store on disk with a few rows of history.
fn make(path: &Path) -> u64 {
    let world = World::over(SqliteStore::open(path).unwrap());
    world.connect(1, 0);
    world.held(1, 1);
    let did = Note::Did {
        action: "signed-in".to_owned(),
    };
    world.store.note(&did, None, &central(), at(60)).unwrap();
    match world.store.verify_history().unwrap() {
        HistoryVerdict::Intact { row_count, .. } => row_count,
        broken @ HistoryVerdict::Broken { .. } => panic!("{broken:?}"),
    }
}

/// Alters the file as somebody who can write it would, and tells what the chain shows.
fn alter(sql: &str) -> (u64, HistoryVerdict) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let row_count = make(&path);
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "DROP TRIGGER history_is_not_altered; DROP TRIGGER history_is_not_shortened;",
    )
    .unwrap();
    assert_eq!(file.execute(sql, []).unwrap(), 1, "{sql}");
    drop(file);
    let store = SqliteStore::open(&path).unwrap();
    (row_count, store.verify_history().unwrap())
}

#[test]
fn an_altered_row_breaks_the_chain_at_its_number() {
    for sql in [
        "UPDATE history SET body = body || ' ' WHERE seq = 6",
        "UPDATE history SET actor = 'officer:budi' WHERE seq = 6",
        "UPDATE history SET at_ms = at_ms + 1 WHERE seq = 6",
        "UPDATE history SET job = NULL WHERE seq = 6",
        "UPDATE history SET job = 'nonsense' WHERE seq = 6",
        "UPDATE history SET sha256 = zeroblob(32) WHERE seq = 6",
        "DELETE FROM history WHERE seq = 6",
    ] {
        let (_row_count, verdict) = alter(sql);
        assert_eq!(verdict, HistoryVerdict::Broken { seq: 6 }, "{sql}");
    }
}

#[test]
fn a_row_missing_at_the_end_is_missed() {
    let (row_count, verdict) =
        alter("DELETE FROM history WHERE seq = (SELECT max(seq) FROM history)");
    assert_eq!(verdict, HistoryVerdict::Broken { seq: row_count });
}

#[test]
fn the_file_itself_refuses_changes_of_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    make(&path);
    let file = Connection::open(&path).unwrap();
    assert!(file.execute("UPDATE history SET actor = 'x'", []).is_err());
    assert!(file.execute("DELETE FROM history", []).is_err());
}

#[test]
fn the_head_moves_with_every_row() {
    let world = World::new();
    let head = || match world.store.verify_history().unwrap() {
        HistoryVerdict::Intact {
            row_count,
            head_sha256,
            ..
        } => (row_count, head_sha256),
        broken @ HistoryVerdict::Broken { .. } => panic!("{broken:?}"),
    };
    let before = head();
    world.insert(1);
    let after = head();
    assert_eq!(after.0, before.0 + 1);
    assert_ne!(after.1, before.1);
    let rows = world.store.history_from(after.0, 10).unwrap();
    assert_eq!((rows.len(), rows[0].sha256), (1, after.1));
}

#[test]
fn a_note_holds_no_personal_number_and_no_control_character() {
    let world = World::new();
    for action in ["", "looked at 3279 0101 0180 0001", "a\nb"] {
        let did = Note::Did {
            action: action.to_owned(),
        };
        let refused = world.store.note(&did, None, &central(), at(1));
        assert!(matches!(refused, Err(StoreError::Text(_))), "{action:?}");
    }
}

#[test]
fn a_store_of_a_later_program_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    make(&path);
    let file = Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::TooNew)));
    std::fs::write(
        &path,
        b"not a database, and long enough to be looked at as one",
    )
    .unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::Corrupt { .. })
    ));
}
