//! A question to call a job off that a broker repeats.

use super::*;

/// More than the outbox may gain by them.
const DELIVERIES: u64 = 500;

async fn outbox_count(bench: &Bench) -> u64 {
    bench.unit.journal.outbox_span().await.unwrap().count
}

#[tokio::test]
async fn a_question_that_a_broker_repeats_is_answered_once() {
    let mut bench = Bench::new().await;
    let order = bench.order(1, 1);
    bench.print(&order).await;
    bench.close(1).await;
    let before = outbox_count(&bench).await;
    for _delivery in 0..DELIVERIES {
        bench.cancel(1, 99).await;
        bench.cancel(1, 98).await;
    }
    assert_eq!(outbox_count(&bench).await, before + 1);
    bench.cancel(1, 100).await;
    assert_eq!(outbox_count(&bench).await, before + 2, "asked anew");
    bench.cursor.rewind();
    bench.cancel(1, 100).await;
    assert_eq!(
        outbox_count(&bench).await,
        before + 3,
        "whoever listens there may be a central that was restored"
    );
}

#[tokio::test]
async fn a_question_answered_before_the_order_came_calls_the_job_off_all_the_same() {
    let mut bench = Bench::new().await;
    bench.cancel(1, 99).await;
    let order = bench.order(1, 1);
    bench.print(&order).await;
    bench.close(1).await;
    assert_eq!(
        bench.state(1).await,
        Some((JobState::Cancelled, Some(Reason::ByCentral)))
    );
}
