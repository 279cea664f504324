//! A history with purges verifies, and whatever is done to it behind the program's back is found.

use std::path::Path;
use std::time::Duration;

use loket_store::{HistoryVerdict, KnownLine, Note, SqliteStore, Store};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rusqlite::Connection;

use crate::purge::{intact, purge_all};
use crate::world::{World, at, central, job_id, new_job};

/// Alters the file as somebody who can write it would.
pub(crate) fn alter(path: &Path, sql: &str) {
    let file = Connection::open(path).unwrap();
    file.execute_batch(
        "DROP TRIGGER IF EXISTS history_is_not_altered; DROP TRIGGER IF EXISTS history_is_not_shortened;
         DROP TRIGGER IF EXISTS history_front_goes_on; DROP TRIGGER IF EXISTS history_front_stays;",
    )
    .unwrap();
    file.execute_batch(sql).unwrap();
}

/// What somebody may do to a chain of lines; the number picks the place.
#[derive(Debug, Clone, Copy)]
enum Tamper {
    Alter,
    Remove,
    Swap,
    Backdate,
    CutFront,
    CutFrontAndMove,
    MoveFrontBack,
    Insert,
}

const TAMPERS: [Tamper; 8] = [
    Tamper::Alter,
    Tamper::Remove,
    Tamper::Swap,
    Tamper::Backdate,
    Tamper::CutFront,
    Tamper::CutFrontAndMove,
    Tamper::MoveFrontBack,
    Tamper::Insert,
];

impl Tamper {
    fn sql(self, seq: u64, next: u64) -> String {
        match self {
            Self::Alter => format!("UPDATE history SET body = replace(body, '\"v\":1', '\"v\":1 ') WHERE seq = {seq}"),
            Self::Remove => format!("DELETE FROM history WHERE seq = {seq}"),
            Self::Swap => format!(
                "UPDATE history SET seq = -1 WHERE seq = {seq}; UPDATE history SET seq = {seq} WHERE seq = {next};
                 UPDATE history SET seq = {next} WHERE seq = -1"
            ),
            Self::Backdate => format!("UPDATE history SET at_ms = at_ms - 1 WHERE seq = {seq}"),
            Self::CutFront => format!("DELETE FROM history WHERE seq <= {seq}"),
            Self::CutFrontAndMove => format!(
                "INSERT INTO history_front (id, seq, sha256) SELECT 1, seq, sha256 FROM history WHERE seq = {seq}
                     ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, sha256 = excluded.sha256;
                 DELETE FROM history WHERE seq <= {seq}"
            ),
            Self::MoveFrontBack => "DELETE FROM history_front; DELETE FROM history WHERE seq =
                (SELECT min(seq) FROM history)"
                .to_owned(),
            Self::Insert => format!(
                "INSERT INTO history (seq, at_ms, actor, kind, body, sha256)
                 SELECT (SELECT min(seq) FROM history) - 1, at_ms, actor, kind, body, sha256
                 FROM history WHERE seq = {seq}"
            ),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    /// Lines come, old ones leave in rounds at any time, and the chain verifies after each; whatever is done to it
    /// behind the program's back is found.
    #[test]
    fn a_chain_with_purges_verifies_and_shows_every_change(
        steps in prop::collection::vec((0_u8..4, 1_u64..400), 3..24),
        place in 0_u64..1_000,
        tamper in 0_usize..8,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("central.db");
        let world = World::over(SqliteStore::open(&path).unwrap());
        let mut now = at(1);
        let mut number = 0_u8;
        let mut noted = Vec::new();
        for (step, days) in steps {
            now = now.saturating_add(Duration::from_secs(days * 86_400));
            match step {
                0 => {
                    number += 1;
                    let new = new_job(number, &world.machine);
                    world.store.insert_job(&new, &central(), now).unwrap();
                }
                1 if number > 0 => {
                    // Most are over by now; an open one older than its life is kept and carried forward.
                    let job = job_id(number);
                    if world.store.job(job).unwrap().is_some() {
                        world.store.request_cancel(job, &central(), now).unwrap();
                        world.store.mark_secrets_dropped(job, now).unwrap();
                    }
                }
                2 => drop(purge_all(&world.store, now)),
                _ => {
                    let did = Note::Did { action: format!("step-{days}") };
                    world.store.note(&did, None, &central(), now).unwrap();
                }
            }
            let seen = intact(&world.store);
            prop_assert_eq!(seen.row_count, seen.head_seq - seen.front.seq);
            noted.push((seen.head_seq, seen.head_sha256));
            // Every head noted so far is confirmed, or its line is gone; none is contradicted.
            for (seq, sha256) in &noted {
                let known = world.store.known_line(*seq).unwrap();
                prop_assert!(
                    matches!(known, KnownLine::Removed) && *seq < seen.front.seq
                        || known == KnownLine::Digest(*sha256),
                    "{} {:?}", seq, known
                );
            }
        }
        let seen = intact(&world.store);
        prop_assume!(seen.row_count >= 2);
        let seq = seen.front.seq + 1 + place % (seen.row_count - 1);
        let tamper = TAMPERS[tamper];
        prop_assume!(!matches!(tamper, Tamper::MoveFrontBack) || seen.front.seq > 0);
        alter(&path, &tamper.sql(seq, seq + 1));
        let verdict = SqliteStore::open(&path).unwrap().verify_history().unwrap();
        let is_broken = matches!(verdict, HistoryVerdict::Broken { .. });
        prop_assert!(is_broken, "{:?} at {}: {:?}", tamper, seq, verdict);
    }
}
