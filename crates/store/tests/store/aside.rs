//! A machine gone mad fills no more than its quota, and its outbox goes on.

use loket_store::{ASIDE_KEPT, AsideCount, KEPT_A_CODE, Store, Taken};
use loket_wire::event::QuarantineReport;
use loket_wire::{JobState, Report, Sha256Digest, Timestamp};

use crate::world::{EPOCH, World, at, job_id, open, sync};

/// A report that central cannot read.
fn rubbish(world: &World, seq: u64, code: &str, now: Timestamp) -> Taken {
    let payload = Sha256Digest::of(&seq.to_be_bytes());
    let machine = &world.machine;
    let ingested = world
        .store
        .quarantine_event(machine, EPOCH, seq, code, payload, now)
        .unwrap();
    assert_eq!(ingested.ack.unwrap().seq, seq, "acknowledged, kept or not");
    ingested.taken
}

fn lines_of(world: &World, kind: &str) -> usize {
    let mut from = 0;
    let mut count = 0;
    loop {
        let page = world.store.history_from(from, 1000).unwrap();
        let Some(last) = page.last() else {
            return count;
        };
        from = last.seq + 1;
        count += page.iter().filter(|row| row.kind == kind).count();
    }
}

fn count_of(world: &World) -> AsideCount {
    let counts = world.store.quarantine_counts().unwrap();
    counts.get(&world.machine).copied().unwrap()
}

#[test]
fn the_first_of_each_code_are_kept_and_all_of_them_counted_and_acknowledged() {
    let world = World::new();
    world.connect(1, 0);
    assert!(world.store.quarantine_counts().unwrap().is_empty());
    let mut seq = 0;
    for _ in 0..500 {
        seq += 1;
        assert_eq!(rubbish(&world, seq, "C-201", at(1)), Taken::Quarantined);
    }
    let quota = usize::try_from(KEPT_A_CODE).unwrap();
    assert_eq!(lines_of(&world, "report-set-aside"), quota);
    assert_eq!(lines_of(&world, "aside-quota-reached"), 1, "said once");
    let beyond = AsideCount {
        total: 500,
        counted_only: 500 - u64::from(KEPT_A_CODE),
    };
    assert_eq!(count_of(&world), beyond);
    let size = world.store.size().unwrap();
    for _ in 0..500 {
        seq += 1;
        rubbish(&world, seq, "C-201", at(2));
    }
    assert_eq!(world.store.size().unwrap(), size, "nothing grows any more");

    // Another trouble of the same machine is not drowned by the first, and an honest report is taken.
    rubbish(&world, seq + 1, "C-202", at(3));
    assert_eq!(lines_of(&world, "report-set-aside"), quota + 1);
    let job = world.insert(1);
    world.offer(job, 4);
    world.tell_job(seq + 2, job, JobState::Journalled);
    assert_eq!(world.state(job), JobState::Journalled);
    assert_eq!(world.store.counts(at(5)).unwrap().quarantined, 1001);
    world.check();

    // After its span there is room again, so that a new trouble shows.
    let later = at(1).saturating_add(ASIDE_KEPT);
    world.store.purge(later).unwrap();
    rubbish(&world, seq + 3, "C-201", later);
    assert_eq!(lines_of(&world, "report-set-aside"), quota + 2);
    assert_eq!(count_of(&world).total, 1002);
}

#[test]
fn codes_without_number_are_counted_as_one() {
    let world = World::new();
    world.connect(1, 0);
    for seq in 1..=2_000_u64 {
        rubbish(&world, seq, &format!("X-{seq}"), at(1));
    }
    let kept = lines_of(&world, "report-set-aside");
    assert!(kept < 40 + usize::try_from(KEPT_A_CODE).unwrap(), "{kept}");
    assert_eq!(count_of(&world).total, 2_000);
}

#[test]
fn what_a_machine_gives_cause_to_remark_on_has_a_quota_as_well() {
    let world = World::new();
    world.connect(1, 0);
    let quota = usize::try_from(KEPT_A_CODE).unwrap();
    for seq in 1..=200_u64 {
        let complaint = Report::Quarantine(QuarantineReport {
            code: "W-102".to_owned(),
            payload_sha256: Sha256Digest::of(&seq.to_be_bytes()),
            size_bytes: 1,
        });
        assert_eq!(world.tell(EPOCH, seq, complaint, 1).taken, Taken::Committed);
    }
    assert_eq!(lines_of(&world, "command-set-aside"), quota);
    let mut stranger = sync(2, None, 200);
    stranger.open_jobs = (1..=200)
        .map(|number| open(job_id(number), JobState::Held))
        .collect();
    world.sync(&stranger, 2);
    assert_eq!(lines_of(&world, "unexpected-job"), quota);
    assert!(
        world.store.quarantine_counts().unwrap().is_empty(),
        "no report was set aside"
    );
    for life in 10..=200_u8 {
        let mut lost = sync(u64::from(life), None, 0);
        lost.epoch = loket_wire::Epoch::from_bytes([life; 16]);
        world.sync(&lost, 3);
    }
    assert!(lines_of(&world, "journal-begun") <= quota);
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    assert_eq!(row.journal_lost_count, 191, "counted all the same");
}

#[test]
fn a_job_that_a_machine_talks_about_without_end_still_has_its_end_heard() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let mut seq = 3;
    let mut set_aside = 0;
    for _ in 0..1_100 {
        seq += 1;
        let state = match seq % 2 {
            0 => JobState::Printing,
            _ => JobState::Held,
        };
        if world.tell_job(seq, job, state).taken == Taken::Quarantined {
            set_aside += 1;
        }
    }
    assert!(set_aside > 50, "{set_aside}");
    assert!(world.store.history(job).unwrap().len() <= 1000);
    let end = world.tell_job(seq + 1, job, JobState::Printed);
    assert_eq!(end.taken, Taken::Committed);
    assert_eq!(world.state(job), JobState::Printed);
}
