//! A process that is killed in the middle of its writes has kept all that it was told is kept, and nothing by half.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use loket_store::{SqliteStore, Store as _};
use loket_wire::JobState;

use crate::world::World;

/// Names the store for the child; without it the child's test has nothing to do.
const STORE_OF_CHILD: &str = "LOKET_STORE_OF_CHILD";

#[test]
fn child_writes_until_it_is_killed() {
    let Ok(path) = std::env::var(STORE_OF_CHILD) else {
        return;
    };
    let world = World::over(SqliteStore::open(path.as_ref()).unwrap());
    world.connect(1, 0);
    for number in 1..=200_u8 {
        let job = world.held(number, 3 * u64::from(number) - 2);
        println!("kept {job}");
    }
}

#[test]
fn a_killed_process_has_kept_what_it_said_and_nothing_by_half() {
    for line_count in [1, 7, 20] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("central.db");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "killed::child_writes_until_it_is_killed",
                "--exact",
                "--nocapture",
            ])
            .env(STORE_OF_CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let kept: Vec<String> = lines
            .map(Result::unwrap)
            .filter_map(|line| {
                line.split_once("kept ")
                    .map(|(_before, job)| job.to_owned())
            })
            .take(line_count)
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(kept.len(), line_count);
        let world = World::over(SqliteStore::open(&path).unwrap());
        for job in kept {
            assert_eq!(world.state(job.parse().unwrap()), JobState::Held);
        }
        world.check();
        let row = world.store.machine(&world.machine).unwrap().unwrap();
        let counts = world.store.counts(crate::world::at(1)).unwrap();
        let reported = counts.jobs[&JobState::Held] * 3;
        assert!(
            (reported..=reported + 2).contains(&row.committed_seq),
            "a report without its job"
        );
    }
}
