//! A machine's journal does not grow with the years: what is swept makes room that is used again.
#![expect(
    clippy::unwrap_used,
    reason = "a test's own helpers fail like the test"
)]

use loket_journal::{Batch, CloseStream, Journal, NewEvent, NewReport, SweepCuts};

const MS_PER_DAY: i64 = 86_400_000;

/// A busy station.
const JOBS_A_DAY: u64 = 50;

/// As long as a print job's.
const EVENTS_A_JOB: usize = 12;
const EVENT_BYTES: usize = 300;

/// One job as the machine writes it in the course of its life, and central's acknowledgement of it all.
async fn job(journal: &Journal, day: i64, number: u64) {
    let stream = format!("print/{day}-{number}");
    let events = (0..EVENTS_A_JOB).map(|_at| NewEvent {
        stream: stream.clone(),
        kind: "printing".to_owned(),
        version: 1,
        bytes: vec![7; EVENT_BYTES],
    });
    let batch = Batch {
        events: events.collect(),
        reports: vec![NewReport {
            kind: "job".to_owned(),
            bytes: vec![7; EVENT_BYTES],
        }],
        close_streams: vec![CloseStream {
            name: stream,
            at_ms: day * MS_PER_DAY,
        }],
        ..Batch::default()
    };
    journal.append(batch).await.unwrap();
}

/// The day's sweep, as the machine makes it: rows after 30 days, gone after 90.
async fn sweep(journal: &Journal, day: i64) {
    let cuts = SweepCuts {
        closed_before_ms: (day - 30) * MS_PER_DAY,
        ledger_before_ms: (day - 90) * MS_PER_DAY,
    };
    let mut after = None;
    loop {
        let swept = journal
            .sweep_closed(cuts, after, |_events| Some(vec![7; EVENT_BYTES]))
            .await
            .unwrap();
        if !swept.more || swept.folded_count + swept.dropped_count == 0 {
            return;
        }
        after = swept.last;
    }
}

#[tokio::test]
async fn ten_thousand_jobs_take_no_more_room_than_their_first_hundred_days() {
    let journal = Journal::in_memory([7; 16]).unwrap();
    let mut at_100_days = 0;
    for day in 0..200 {
        for number in 0..JOBS_A_DAY {
            job(&journal, day, number).await;
        }
        let held = journal.outbox_span().await.unwrap().last;
        journal.settle(held).await.unwrap();
        sweep(&journal, day).await;
        if day == 100 {
            at_100_days = journal.stats().await.unwrap().size_bytes;
        }
    }
    let stats = journal.stats().await.unwrap();
    println!("{} bytes after 10,000 jobs", stats.size_bytes);
    assert_eq!(stats.outbox_count, 0);
    let a_month = 31 * JOBS_A_DAY * u64::try_from(EVENTS_A_JOB).unwrap();
    assert!(stats.event_count <= a_month, "{stats:?}");
    // A page here and there, and not the 100 days of jobs that came since.
    assert!(
        stats.size_bytes <= at_100_days + at_100_days / 50,
        "{at_100_days} {stats:?}"
    );
}
