use loket_store::{Store, Taken};
use loket_wire::{JobState, Sha256Digest};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::world::{EPOCH, World, at, say};

/// What may happen to the reports of a machine on their way.
#[derive(Debug, Clone, Copy)]
enum Way {
    Deliver(u64),
    Garble(u64),
    /// The machine connects again and holds reports from here on.
    Connect(u64),
}

fn ways() -> impl Strategy<Value = Way> {
    prop_oneof![
        8 => (1..16_u64).prop_map(Way::Deliver),
        1 => (1..16_u64).prop_map(Way::Garble),
        1 => (1..16_u64).prop_map(Way::Connect),
    ]
}

fn came_again(overlap: Option<(u64, u64)>, seq: u64) -> Option<(u64, u64)> {
    let (from, to) = overlap?;
    let from = if from == seq { seq + 1 } else { from };
    (from <= to).then_some((from, to))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_acknowledgement_is_the_highest_contiguous_report(steps in prop::collection::vec(ways(), 1..60)) {
        let world = World::new();
        world.connect(1, 0);
        let job = world.insert(1);
        let mut committed = 0;
        // What the machine says it holds of that: acknowledged once it came again and was the same.
        let mut overlap = None;
        for (session_seq, step) in (2..).zip(steps) {
            let seq = match step {
                Way::Deliver(seq) => {
                    overlap = came_again(overlap, seq);
                    let ingested = world.tell(EPOCH, seq, say(job, JobState::Held, None), 5);
                    let expect = match seq {
                        seq if seq <= committed => Taken::Duplicate,
                        seq if seq == committed + 1 => Taken::Committed,
                        _ahead => Taken::Ahead { expected_seq: committed + 1 },
                    };
                    prop_assert_eq!(ingested.taken, expect);
                    committed += u64::from(expect == Taken::Committed);
                    ingested.ack.unwrap().seq
                }
                Way::Garble(seq) => {
                    overlap = came_again(overlap, seq);
                    let digest = Sha256Digest::of(b"garbled");
                    let ingested = world.store
                        .quarantine_event(&world.machine, EPOCH, seq, "W-102", digest, at(5))
                        .unwrap();
                    committed += u64::from(seq == committed + 1);
                    ingested.ack.unwrap().seq
                }
                Way::Connect(first) => {
                    let mut sync = crate::world::sync(session_seq, Some(first), 16.max(committed));
                    sync.is_complete = false;
                    let lost = (first > committed + 1).then(|| (committed + 1, first - 1));
                    let outcome = world.sync(&sync, 5);
                    prop_assert_eq!(outcome.gap, lost);
                    overlap = (first <= committed).then_some((first, committed));
                    committed = committed.max(first - 1);
                    outcome.ack.seq
                }
            };
            prop_assert_eq!(seq, overlap.map_or(committed, |(from, _to)| from - 1));
            let row = world.store.machine(&world.machine).unwrap().unwrap();
            prop_assert_eq!(row.committed_seq, committed);
        }
        world.check();
    }
}
