//! What stands on disk after stops and full disks, seen through the public door.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use loket_journal::{
    Batch, CloseStream, Integrity, Journal, JournalError, NewEvent, NewReport, OutboxSpan,
    StreamState, SweepCuts, check_integrity,
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

fn close(name: &str, at_ms: i64) -> CloseStream {
    CloseStream {
        name: name.into(),
        at_ms,
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

#[tokio::test]
async fn a_new_file_has_the_given_epoch_and_a_later_open_keeps_it() {
    let at = place();
    let (journal, opened) = Journal::open(&at.path, EPOCH).unwrap();
    assert!(opened.made_new && opened.was_clean);
    assert_eq!(opened.epoch, EPOCH);
    let mode = std::fs::metadata(&at.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    journal.close().await.unwrap();
    let (_journal, opened) = Journal::open(&at.path, OTHER_EPOCH).unwrap();
    assert!(!opened.made_new && opened.was_clean);
    assert_eq!(opened.epoch, EPOCH);
}

#[tokio::test]
async fn a_journal_dropped_without_close_keeps_all_and_is_seen_as_unclean() {
    let at = place();
    let (journal, _) = Journal::open(&at.path, EPOCH).unwrap();
    let batch = Batch {
        meta: vec![("last-seq".into(), vec![4, 2])],
        ..one("a", b"first")
    };
    let appended = journal.append(batch).await.unwrap();
    assert_eq!(
        (appended.last_event_seq, appended.last_report_seq),
        (1, Some(1))
    );
    drop(journal);
    let (journal, opened) = Journal::open(&at.path, OTHER_EPOCH).unwrap();
    assert!(!opened.was_clean && !opened.made_new);
    assert_eq!(bytes_of_open(&journal).await, [b"first"]);
    assert_eq!(journal.meta("last-seq").await.unwrap(), Some(vec![4, 2]));
    assert_eq!(journal.meta("other").await.unwrap(), None);
    assert_eq!(
        check_integrity(&at.path).unwrap(),
        Integrity::Sound,
        "while it is open"
    );
}

#[tokio::test]
async fn a_start_reads_open_streams_in_global_order() {
    let journal = Journal::in_memory(EPOCH).unwrap();
    for (stream, bytes) in [("a", b"1"), ("b", b"2"), ("a", b"3"), ("c", b"4")] {
        journal.append(one(stream, bytes)).await.unwrap();
    }
    let ending = Batch {
        close_streams: vec![close("a", 100)],
        ..Batch::default()
    };
    journal.append(ending.clone()).await.unwrap();
    assert_eq!(bytes_of_open(&journal).await, [b"2", b"4"]);
    assert_eq!(journal.stream("a").await.unwrap().len(), 2);
    let error = journal.append(one("a", b"5")).await.unwrap_err();
    assert!(matches!(error, JournalError::StreamClosed { .. }));
    journal
        .append(Batch {
            close_streams: vec![close("a", 999)],
            ..Batch::default()
        })
        .await
        .unwrap();
    let state = journal.stream_state("a").await.unwrap();
    assert_eq!(
        state,
        StreamState::Closed { at_ms: 100 },
        "the first stamp stands"
    );
    assert_eq!(journal.stream_state("b").await.unwrap(), StreamState::Open);
    assert_eq!(
        journal.stream_state("z").await.unwrap(),
        StreamState::Unknown
    );
    let stats = journal.stats().await.unwrap();
    assert_eq!(
        (
            stats.event_count,
            stats.outbox_count,
            stats.open_stream_count
        ),
        (4, 4, 2)
    );
}

#[tokio::test]
async fn a_report_number_is_never_given_twice() {
    let at = place();
    let (journal, _) = Journal::open(&at.path, EPOCH).unwrap();
    for _ in 0..3 {
        journal.append(one("a", b"x")).await.unwrap();
    }
    assert_eq!(journal.settle(3).await.unwrap(), 3);
    assert_eq!(
        journal.settle(3).await.unwrap(),
        0,
        "repeating it is harmless"
    );
    let empty = OutboxSpan {
        first: None,
        last: 3,
        count: 0,
    };
    assert_eq!(journal.outbox_span().await.unwrap(), empty);
    journal.close().await.unwrap();
    let (journal, _) = Journal::open(&at.path, EPOCH).unwrap();
    assert_eq!(journal.outbox_span().await.unwrap(), empty);
    assert_eq!(
        journal
            .append(one("a", b"y"))
            .await
            .unwrap()
            .last_report_seq,
        Some(4)
    );
    let error = journal.settle(5).await.unwrap_err();
    assert!(matches!(
        error,
        JournalError::SettleAhead {
            up_to_seq: 5,
            last_seq: 4
        }
    ));
    let held = journal.outbox_after(0, 10).await.unwrap();
    assert_eq!(
        (held.len(), held[0].seq, held[0].bytes.as_slice()),
        (1, 4, b"y".as_slice())
    );
}

#[tokio::test]
async fn the_outbox_is_read_in_pages() {
    let journal = Journal::in_memory(EPOCH).unwrap();
    for number in 0..10_u8 {
        journal
            .append(Batch {
                reports: vec![report(&[number])],
                ..Batch::default()
            })
            .await
            .unwrap();
    }
    journal.settle(2).await.unwrap();
    let page = journal.outbox_after(0, 3).await.unwrap();
    assert_eq!(
        page.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [3, 4, 5]
    );
    let page = journal.outbox_after(5, 100).await.unwrap();
    assert_eq!(
        page.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [6, 7, 8, 9, 10]
    );
    assert!(journal.outbox_after(u64::MAX, 3).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_appends_at_once_all_land_and_the_bad_one_alone_fails() {
    let at = place();
    let (journal, _) = Journal::open(&at.path, EPOCH).unwrap();
    journal.append(one("closed", b"x")).await.unwrap();
    journal
        .append(Batch {
            close_streams: vec![close("closed", 1)],
            ..Batch::default()
        })
        .await
        .unwrap();
    let mut appends = tokio::task::JoinSet::new();
    for number in 0..200_u8 {
        let journal = journal.clone();
        appends.spawn(async move {
            let stream = if number == 100 {
                "closed".to_owned()
            } else {
                format!("job-{number}")
            };
            (number, journal.append(one(&stream, &[number])).await)
        });
    }
    while let Some(done) = appends.join_next().await {
        let (number, verdict) = done.unwrap();
        assert_eq!(verdict.is_err(), number == 100, "{number}: {verdict:?}");
    }
    assert_eq!(bytes_of_open(&journal).await.len(), 199);
}

#[tokio::test]
async fn a_full_disk_refuses_the_batch_keeps_the_rest_and_recovers_with_room() {
    let at = place();
    let (journal, _) = Journal::open_bounded(&at.path, EPOCH, 512 * 1024).unwrap();
    let mut kept = 0_u64;
    let error = loop {
        match journal
            .append(one(&format!("job-{kept}"), &[5; 20_000]))
            .await
        {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100, "the limit holds");
    };
    assert!(matches!(error, JournalError::Full), "{error:?}");
    assert!(kept > 3);
    let span = journal.outbox_span().await.unwrap();
    assert_eq!(
        (span.count, span.last),
        (kept, kept),
        "nothing of the refused batch stands"
    );
    assert_eq!(
        bytes_of_open(&journal).await.len(),
        usize::try_from(kept).unwrap()
    );

    journal.settle(kept).await.unwrap();
    journal.append(one("after", &[6; 20_000])).await.unwrap();
    journal.close().await.unwrap();
    assert_eq!(check_integrity(&at.path).unwrap(), Integrity::Sound);
    let (journal, _) = Journal::open(&at.path, EPOCH).unwrap();
    let count = usize::try_from(kept).unwrap();
    assert_eq!(bytes_of_open(&journal).await.len(), count + 1);
}

#[tokio::test]
async fn a_closed_journal_answers_its_other_handles() {
    let journal = Journal::in_memory(EPOCH).unwrap();
    let other = journal.clone();
    journal.close().await.unwrap();
    assert!(matches!(
        other.append(one("a", b"x")).await,
        Err(JournalError::Stopped)
    ));
    assert!(matches!(other.stats().await, Err(JournalError::Stopped)));
    assert!(matches!(other.close().await, Err(JournalError::Stopped)));
}

#[tokio::test]
async fn old_closed_streams_become_ledger_rows_and_old_ledger_rows_go() {
    let journal = Journal::in_memory(EPOCH).unwrap();
    for (stream, at_ms) in [("old", 10), ("young", 20)] {
        journal.append(one(stream, b"start")).await.unwrap();
        let ending = Batch {
            close_streams: vec![close(stream, at_ms)],
            ..one(stream, b"end")
        };
        journal.append(ending).await.unwrap();
    }
    journal.append(one("open", b"start")).await.unwrap();
    let last =
        |events: &[loket_journal::StoredEvent]| events.last().map(|event| event.bytes.clone());
    let cuts = SweepCuts {
        closed_before_ms: 20,
        ledger_before_ms: 0,
    };
    let swept = journal.sweep_closed(cuts, None, last).await.unwrap();
    assert_eq!(
        (swept.folded_count, swept.dropped_count, swept.more),
        (1, 0, false)
    );
    let row = journal.ledger("old").await.unwrap().unwrap();
    assert_eq!(
        (row.closed_at_ms, row.bytes.as_slice()),
        (10, b"end".as_slice())
    );
    assert_eq!(
        journal.stream_state("old").await.unwrap(),
        StreamState::Swept { at_ms: 10 }
    );
    assert!(journal.stream("old").await.unwrap().is_empty());
    assert_eq!(journal.stream("young").await.unwrap().len(), 2);
    let error = journal.append(one("old", b"again")).await.unwrap_err();
    assert!(
        matches!(error, JournalError::StreamClosed { .. }),
        "a swept name stays closed"
    );
    let cuts = SweepCuts {
        closed_before_ms: 0,
        ledger_before_ms: 11,
    };
    assert_eq!(
        journal
            .sweep_closed(cuts, None, last)
            .await
            .unwrap()
            .dropped_count,
        1
    );
    assert_eq!(journal.ledger("old").await.unwrap(), None);
    assert_eq!(
        journal.stats().await.unwrap().outbox_count,
        5,
        "reports die by settling alone"
    );
}

#[tokio::test]
async fn a_sweep_takes_a_bounded_bite_and_says_that_more_waits() {
    let journal = Journal::in_memory(EPOCH).unwrap();
    let count = loket_journal::MAX_SWEEP_STREAMS + 1;
    for number in 0..count {
        let name = format!("job-{number}");
        let ending = Batch {
            close_streams: vec![close(&name, 5)],
            ..one(&name, b"end")
        };
        journal.append(ending).await.unwrap();
    }
    let cuts = SweepCuts {
        closed_before_ms: 6,
        ledger_before_ms: 0,
    };
    let first = journal
        .sweep_closed(cuts, None, |_| Some(Vec::new()))
        .await
        .unwrap();
    assert!(first.more);
    let second = journal
        .sweep_closed(cuts, first.last, |_| Some(Vec::new()))
        .await
        .unwrap();
    assert_eq!((second.folded_count, second.more), (1, false));
    let over = |_: &[loket_journal::StoredEvent]| Some(vec![0; loket_journal::MAX_EVENT_BYTES + 1]);
    journal
        .append(Batch {
            close_streams: vec![close("last", 5)],
            ..one("last", b"end")
        })
        .await
        .unwrap();
    let error = journal.sweep_closed(cuts, None, over).await.unwrap_err();
    assert!(matches!(
        error,
        JournalError::TooLarge {
            field: "summary",
            ..
        }
    ));
    assert_eq!(
        journal.stream("last").await.unwrap().len(),
        1,
        "it is not lost"
    );
}
