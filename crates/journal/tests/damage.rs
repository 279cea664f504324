//! Damaged, torn and foreign files: seen, refused, set aside.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use std::path::{Path, PathBuf};

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use loket_journal::{
    Batch, Integrity, Journal, JournalError, NewEvent, NewReport, check_integrity,
    check_integrity_while, set_aside,
};

const EPOCH: [u8; 16] = [7; 16];
const OTHER_EPOCH: [u8; 16] = [9; 16];

fn event(stream: &str, bytes: &[u8]) -> NewEvent {
    NewEvent {
        stream: stream.into(),
        kind: "received".into(),
        version: 1,
        bytes: bytes.to_vec(),
    }
}

fn report(bytes: &[u8]) -> NewReport {
    NewReport {
        kind: "job".into(),
        bytes: bytes.to_vec(),
    }
}

fn one(stream: &str, bytes: &[u8]) -> Batch {
    Batch {
        events: vec![event(stream, bytes)],
        reports: vec![report(bytes)],
        ..Batch::default()
    }
}

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    Place {
        _folder: folder,
        path,
    }
}

async fn bytes_of_open(journal: &Journal) -> Vec<Vec<u8>> {
    journal
        .open_events()
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.bytes)
        .collect()
}

async fn filled(path: &Path) {
    let (journal, _) = Journal::open(path, EPOCH).unwrap();
    for number in 0..60_u8 {
        let bytes = [b"payload-".as_slice(), &[number; 900]].concat();
        journal
            .append(one(&format!("job-{}", number % 7), &bytes))
            .await
            .unwrap();
    }
    journal.close().await.unwrap();
}

fn damage(path: &Path, at: usize, with: &[u8]) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at..at + with.len()].copy_from_slice(with);
    std::fs::write(path, bytes).unwrap();
}

fn find(path: &Path, needle: &[u8]) -> usize {
    let bytes = std::fs::read(path).unwrap();
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap()
}

#[tokio::test]
async fn one_changed_byte_of_an_event_is_seen() {
    let at = place();
    filled(&at.path).await;
    assert_eq!(check_integrity(&at.path).unwrap(), Integrity::Sound);
    let position = find(&at.path, b"payload-\x05");
    damage(&at.path, position, b"q");
    assert_eq!(check_integrity(&at.path).unwrap(), Integrity::Broken);
    let (journal, _) = Journal::open(&at.path, OTHER_EPOCH).unwrap();
    let events = journal.open_events().await;
    let reports = journal.outbox_after(0, 256).await;
    let corrupt = |error| matches!(error, Some(JournalError::Corrupt));
    assert!(
        corrupt(events.err()) || corrupt(reports.err()),
        "a read does not pass it on"
    );
}

#[tokio::test]
async fn an_overwritten_page_is_seen_and_the_file_can_be_set_aside() {
    let at = place();
    filled(&at.path).await;
    let size_bytes = std::fs::read(&at.path).unwrap().len();
    damage(&at.path, size_bytes / 2 / 4096 * 4096, &[0xA5; 4096]);
    assert_eq!(check_integrity(&at.path).unwrap(), Integrity::Broken);
    let aside = set_aside(&at.path, "20261122-1").unwrap();
    assert!(aside.exists() && !at.path.exists());
    assert!(matches!(
        set_aside(&at.path, "20261122-1"),
        Err(JournalError::NotFound { .. })
    ));
    let (journal, opened) = Journal::open(&at.path, OTHER_EPOCH).unwrap();
    assert!(opened.made_new);
    assert_eq!(opened.epoch, OTHER_EPOCH);
    journal.append(one("a", b"x")).await.unwrap();
    let error = set_aside(&at.path, "20261122-1").unwrap_err();
    assert!(
        matches!(error, JournalError::File { .. }),
        "nothing is overwritten: {error:?}"
    );
}

#[tokio::test]
async fn a_destroyed_header_is_corrupt_on_open_and_broken_on_check() {
    let at = place();
    filled(&at.path).await;
    damage(&at.path, 0, &[0xFF; 100]);
    let error = Journal::open(&at.path, OTHER_EPOCH).unwrap_err();
    assert!(matches!(error, JournalError::Corrupt), "{error:?}");
    assert_eq!(check_integrity(&at.path).unwrap(), Integrity::Broken);
}

#[tokio::test]
async fn a_log_left_alone_by_an_interrupted_set_aside_does_not_reach_the_new_file() {
    let at = place();
    let (journal, _) = Journal::open(&at.path, EPOCH).unwrap();
    journal.append(one("old", b"old")).await.unwrap();
    let wal = at.path.with_extension("db-wal");
    let old_log = std::fs::read(&wal).unwrap();
    journal.close().await.unwrap();
    std::fs::remove_file(&at.path).unwrap();
    std::fs::write(&wal, old_log).unwrap();
    let (journal, opened) = Journal::open(&at.path, OTHER_EPOCH).unwrap();
    assert!(opened.made_new && opened.epoch == OTHER_EPOCH);
    assert!(bytes_of_open(&journal).await.is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_broken() {
    let at = place();
    assert!(matches!(
        check_integrity(&at.path),
        Err(JournalError::NotFound { .. })
    ));
    let beneath = at.path.join("no-such-folder").join("journal.db");
    assert!(matches!(
        Journal::open(&beneath, EPOCH),
        Err(JournalError::File { .. })
    ));
}

#[tokio::test]
async fn a_later_programs_file_is_refused_and_left_alone() {
    let at = place();
    filled(&at.path).await;
    let connection = rusqlite::Connection::open(&at.path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(
        Journal::open(&at.path, EPOCH),
        Err(JournalError::TooNew)
    ));
    assert_eq!(check_integrity(&at.path).unwrap(), Integrity::Sound);
}

#[tokio::test]
async fn a_log_torn_anywhere_opens_as_the_batches_before_the_tear() {
    let at = place();
    let (journal, _) = Journal::open(&at.path, EPOCH).unwrap();
    for number in 0..12_u8 {
        journal.append(one("a", &[number; 700])).await.unwrap();
    }
    let database = std::fs::read(&at.path).unwrap();
    let log = std::fs::read(at.path.with_extension("db-wal")).unwrap();
    let torn = place();
    let mut counts = Vec::new();
    // A prime step visits tears within frames, between frames and between commits.
    for length in (0..log.len()).step_by(3_331).chain([log.len()]) {
        for old in [&torn.path, &torn.path.with_extension("db-wal")] {
            if old.exists() {
                std::fs::remove_file(old).unwrap();
            }
        }
        std::fs::write(&torn.path, &database).unwrap();
        std::fs::write(torn.path.with_extension("db-wal"), &log[..length]).unwrap();
        let (after, opened) = Journal::open(&torn.path, OTHER_EPOCH).unwrap();
        let events = bytes_of_open(&after).await;
        let reports = after.outbox_after(0, 256).await.unwrap();
        assert_eq!(
            events.len(),
            reports.len(),
            "a batch is whole at tear {length}"
        );
        let expect: Vec<_> = (0..12_u8).map(|number| vec![number; 700]).collect();
        assert_eq!(events, expect[..events.len()], "a prefix at tear {length}");
        assert!(opened.epoch == EPOCH || events.is_empty());
        counts.push(events.len());
        after.close().await.unwrap();
    }
    assert_eq!(counts.last(), Some(&12));
    assert!(
        counts.is_sorted() && counts.first() == Some(&0),
        "{counts:?}"
    );
}

fn is_clean(path: &Path) -> bool {
    // Dropped without a close: looking changes nothing for a file that was not clean.
    let (_journal, opened) = Journal::open(path, OTHER_EPOCH).unwrap();
    opened.was_clean
}

#[tokio::test]
async fn a_file_that_nobody_checked_after_an_unclean_stop_stays_unclean_over_a_close() {
    let at = place();
    filled(&at.path).await;
    drop(Journal::open(&at.path, EPOCH).unwrap());
    let (journal, opened) = Journal::open(&at.path, EPOCH).unwrap();
    assert!(!opened.was_clean);
    journal.append(one("a", b"x")).await.unwrap();
    journal.close().await.unwrap();
    let (journal, opened) = Journal::open(&at.path, EPOCH).unwrap();
    assert!(!opened.was_clean, "the next start must check it");
    assert_eq!(check_integrity(&at.path).unwrap(), Integrity::Sound);
    journal.vouch().await.unwrap();
    journal.close().await.unwrap();
    assert!(is_clean(&at.path));
}

#[tokio::test]
async fn damage_that_any_request_meets_is_told_and_keeps_the_file_unclean() {
    let at = place();
    filled(&at.path).await;
    let position = find(&at.path, b"payload-\x05");
    damage(&at.path, position, b"q");
    let (journal, opened) = Journal::open(&at.path, EPOCH).unwrap();
    assert!(opened.was_clean && !journal.is_damaged());
    journal.vouch().await.unwrap();
    let met = [
        journal.open_events().await.is_err(),
        journal.outbox_after(0, 256).await.is_err(),
    ];
    assert!(met.contains(&true));
    assert!(journal.is_damaged(), "known by the time of the answer");
    journal.clone().damaged().await;
    journal.close().await.unwrap();
    assert!(!is_clean(&at.path));
}

#[tokio::test]
async fn a_check_that_is_not_wanted_any_more_ends_without_a_verdict() {
    let at = place();
    filled(&at.path).await;
    let looks = Arc::new(AtomicU32::new(0));
    for wanted_looks in 0..3 {
        let (seen, counted) = (Arc::clone(&looks), Arc::clone(&looks));
        seen.store(0, Ordering::SeqCst);
        let checked = check_integrity_while(&at.path, move || {
            counted.fetch_add(1, Ordering::SeqCst) < wanted_looks
        });
        assert_eq!(checked.unwrap(), Integrity::Unfinished);
        assert_eq!(seen.load(Ordering::SeqCst), wanted_looks + 1);
    }
}
