//! Central's place in what a machine reports: next, again, ahead, or of another journal.

use loket_domain::dispatch::{Ingest, Stream, SyncView};
use loket_wire::Epoch;

const EPOCH: Epoch = Epoch::from_bytes([1; 16]);
const OTHER_EPOCH: Epoch = Epoch::from_bytes([2; 16]);

fn stream(committed_seq: u64) -> Stream {
    Stream {
        epoch: Some(EPOCH),
        generation: 3,
        committed_seq,
    }
}

fn view(epoch: Epoch, first: Option<u64>, last: u64) -> SyncView {
    SyncView {
        epoch,
        first_event_seq: first,
        last_event_seq: last,
    }
}

#[test]
fn reports_are_taken_one_after_the_other_in_their_own_epoch() {
    let stream = stream(5);
    assert_eq!(stream.ingest(EPOCH, 5), Ingest::Duplicate);
    assert_eq!(stream.ingest(EPOCH, 0), Ingest::Duplicate);
    assert_eq!(stream.ingest(EPOCH, 7), Ingest::Ahead { expected_seq: 6 });
    assert_eq!(stream.ingest(OTHER_EPOCH, 6), Ingest::OtherEpoch);
    assert!(matches!(stream.ingest(EPOCH, 6), Ingest::Commit { .. }));
    let never_heard = Stream::default();
    assert!(matches!(
        never_heard.ingest(EPOCH, 1),
        Ingest::Commit { .. }
    ));
    assert_eq!(
        never_heard.ingest(EPOCH, 40),
        Ingest::Ahead { expected_seq: 1 }
    );
}

#[test]
fn a_sync_tells_gap_new_journal_and_rollback_apart() {
    let quiet = stream(5).sync(&view(EPOCH, Some(6), 8), None);
    assert_eq!(
        (quiet.gap, quiet.is_journal_lost(), quiet.is_settled),
        (None, false, false)
    );
    let gap = stream(5).sync(&view(EPOCH, Some(9), 9), None);
    assert_eq!((gap.gap, gap.stream.committed_seq), (Some((6, 8)), 8));
    let emptied = stream(5).sync(&view(EPOCH, None, 7), None);
    assert_eq!((emptied.gap, emptied.is_settled), (Some((6, 7)), true));

    let new = stream(5).sync(&view(OTHER_EPOCH, Some(1), 1), None);
    assert!(new.is_new_epoch && !new.is_rolled_back);
    assert_eq!(
        (new.stream.generation, new.stream.committed_seq, new.gap),
        (4, 0, None)
    );

    for back in [view(EPOCH, Some(3), 4), view(EPOCH, None, 2)] {
        let synced = stream(5).sync(&back, None);
        assert!(synced.is_rolled_back, "{back:?}");
        assert_eq!((synced.stream.generation, synced.gap), (4, None));
        assert_eq!(synced.stream.committed_seq, 2, "{back:?}");
    }
    let met_before = stream(5).sync(&view(OTHER_EPOCH, Some(30), 30), Some(40));
    assert_eq!(
        (met_before.gap, met_before.stream.committed_seq),
        (None, 29)
    );
    let first_contact = Stream::default().sync(&view(EPOCH, Some(40), 50), None);
    assert!(!first_contact.is_journal_lost());
    assert_eq!(
        (first_contact.gap, first_contact.stream.generation),
        (Some((1, 39)), 1)
    );
}
