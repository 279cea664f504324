//! Streams and ledger rows are listed in pages, by what a reader of one day needs.
#![expect(
    clippy::unwrap_used,
    reason = "a test's own helpers fail like the test"
)]

use loket_journal::{Batch, CloseStream, Journal, MAX_LISTED, NewEvent, SweepCuts};

async fn stream(journal: &Journal, name: &str, closed_at_ms: Option<i64>) {
    let close = closed_at_ms.map(|at_ms| CloseStream {
        name: name.to_owned(),
        at_ms,
    });
    let batch = Batch {
        events: vec![NewEvent {
            stream: name.to_owned(),
            kind: "printing".to_owned(),
            version: 1,
            bytes: vec![7],
        }],
        close_streams: close.into_iter().collect(),
        ..Batch::default()
    };
    journal.append(batch).await.unwrap();
}

#[tokio::test]
async fn open_streams_and_those_closed_since_are_listed_page_by_page() {
    let journal = Journal::in_memory([1; 16]).unwrap();
    stream(&journal, "print/a", Some(99)).await;
    stream(&journal, "print/b", Some(100)).await;
    stream(&journal, "print/c", None).await;
    let names = journal.stream_names(100, "").await.unwrap();
    assert_eq!(names, ["print/b", "print/c"]);
    assert_eq!(
        journal.stream_names(100, "print/b").await.unwrap(),
        ["print/c"]
    );
    for no in 0..MAX_LISTED {
        stream(&journal, &format!("print/d{no:03}"), None).await;
    }
    let names = journal.stream_names(100, "").await.unwrap();
    assert_eq!(names.len(), MAX_LISTED);
    let rest = journal
        .stream_names(100, names.last().unwrap())
        .await
        .unwrap();
    assert_eq!(rest.len(), 2);
}

#[tokio::test]
async fn ledger_rows_of_streams_closed_since_are_listed_page_by_page() {
    let journal = Journal::in_memory([1; 16]).unwrap();
    for no in 0..=MAX_LISTED {
        stream(&journal, &format!("print/{no:03}"), Some(100)).await;
    }
    stream(&journal, "print/early", Some(99)).await;
    let cuts = SweepCuts {
        closed_before_ms: 200,
        ledger_before_ms: 0,
    };
    let mut after = None;
    loop {
        let sweep = journal.sweep_closed(cuts, after, |_events| Some(vec![9]));
        let swept = sweep.await.unwrap();
        after = swept.last;
        if !swept.more {
            break;
        }
    }
    assert!(journal.stream_names(0, "").await.unwrap().is_empty());
    let rows = journal.ledger_rows(100, "").await.unwrap();
    assert_eq!(rows.len(), MAX_LISTED);
    assert!(
        rows.iter()
            .all(|row| row.bytes == [9] && row.closed_at_ms == 100)
    );
    let rest = journal
        .ledger_rows(100, &rows.last().unwrap().stream)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
}
