//! Files of every released schema version open under the present code.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use loket_journal::{
    Batch, CloseStream, Integrity, Journal, NewEvent, NewReport, OutboxSpan, StreamState,
    SweepCuts, check_integrity,
};

const EPOCH: [u8; 16] = *b"fixture-epoch-01";

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join("v1.db")
}

fn batch(stream: &str, kind: &str, bytes: &[u8]) -> Batch {
    let event = NewEvent {
        stream: stream.into(),
        kind: kind.into(),
        version: 3,
        bytes: bytes.to_vec(),
    };
    let report = NewReport {
        kind: "job".into(),
        bytes: bytes.to_vec(),
    };
    Batch {
        events: vec![event],
        reports: vec![report],
        ..Batch::default()
    }
}

/// Writes a file of the present schema to the path in `LOKET_TEST_FIXTURE`. A released version's
/// fixture is never written again: run this once, before the next migration is added.
#[tokio::test]
async fn write_a_fixture_where_one_is_asked_for() {
    let Ok(path) = std::env::var("LOKET_TEST_FIXTURE") else {
        return;
    };
    let (journal, opened) = Journal::open(Path::new(&path), EPOCH).unwrap();
    assert!(opened.made_new);
    for (stream, at_ms) in [("swept", 1_000), ("closed", 2_000)] {
        journal
            .append(batch(stream, "received", b"{}"))
            .await
            .unwrap();
        let close_streams = vec![CloseStream {
            name: stream.into(),
            at_ms,
        }];
        journal
            .append(Batch {
                close_streams,
                ..batch(stream, "printed", b"{\"v\":3}")
            })
            .await
            .unwrap();
    }
    let meta = vec![("last-command".to_owned(), vec![42])];
    journal
        .append(Batch {
            meta,
            ..batch("open", "received", b"{\"v\":3}")
        })
        .await
        .unwrap();
    let cuts = SweepCuts {
        closed_before_ms: 2_000,
        ledger_before_ms: 0,
    };
    journal
        .sweep_closed(cuts, None, |_| Some(b"summary".to_vec()))
        .await
        .unwrap();
    journal.settle(3).await.unwrap();
    journal.close().await.unwrap();
}

#[tokio::test]
async fn a_file_of_version_1_opens_whole_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    std::fs::copy(fixture(), &path).unwrap();
    let (journal, opened) = Journal::open(&path, [0; 16]).unwrap();
    assert_eq!(opened.epoch, EPOCH);
    assert!(opened.was_clean && !opened.made_new);
    assert_eq!(check_integrity(&path).unwrap(), Integrity::Sound);
    let open = journal.open_events().await.unwrap();
    let [event] = open.as_slice() else {
        panic!("one open event, not {open:?}")
    };
    assert_eq!(
        (event.seq, event.stream.as_str(), event.kind.as_str()),
        (5, "open", "received")
    );
    assert_eq!(
        (event.version, event.bytes.as_slice()),
        (3, b"{\"v\":3}".as_slice())
    );
    assert_eq!(journal.stream("closed").await.unwrap().len(), 2);
    let state = journal.stream_state("swept").await.unwrap();
    assert_eq!(state, StreamState::Swept { at_ms: 1_000 });
    assert_eq!(
        journal.ledger("swept").await.unwrap().unwrap().bytes,
        b"summary"
    );
    assert_eq!(journal.meta("last-command").await.unwrap(), Some(vec![42]));
    let span = journal.outbox_span().await.unwrap();
    assert_eq!(
        span,
        OutboxSpan {
            first: Some(4),
            last: 5,
            count: 2
        }
    );
    let appended = journal
        .append(batch("open", "verified", b"{}"))
        .await
        .unwrap();
    assert_eq!(
        (appended.last_event_seq, appended.last_report_seq),
        (6, Some(6))
    );
}

fn schema(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn an_old_file_brought_up_to_date_has_the_schema_of_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    std::fs::copy(fixture(), &old).unwrap();
    for path in [&old, &new] {
        let (journal, _) = Journal::open(path, EPOCH).unwrap();
        journal.close().await.unwrap();
    }
    assert_eq!(schema(&old), schema(&new));
}
