//! Announcements of trust bundles.

use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_verify::Policy;
use loket_wire::{Blob, Sha256Digest, TrustBundle, TrustNotice};

use super::*;
use crate::config::TrustSource;
use crate::trust::TrustStore;

fn bundle(serial: u64) -> TrustBundle {
    TrustBundle {
        serial,
        made_at: DAY,
        policy: None,
        hosts: None,
        items: Vec::new(),
    }
}

fn notice(bench: &Bench, serial: u64) -> (TrustNotice, Vec<u8>) {
    let sealed = bundle(serial).seal(&bench.central).unwrap();
    let notice = TrustNotice {
        machine: bench.unit.machine.clone(),
        serial,
        bundle: Blob {
            sha256: Sha256Digest::of(&sealed),
            size_bytes: u64::try_from(sealed.len()).unwrap(),
        },
    };
    (notice, sealed)
}

#[tokio::test]
async fn a_newer_bundle_is_handed_on_and_an_older_one_is_refused_and_told() {
    let mut bench = Bench::new().await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("trust")).unwrap();
    let folder = TrustFolder::open(dir.path().join("trust")).unwrap();
    let central = Some(bench.unit.identity.bundle.central_key.clone());
    let store = TrustStore::open(folder, TrustSource::Bundle, dir.path(), central);
    let (held, sealed) = notice(&bench, 7);
    let prepared = store.prepare(&held, &sealed, bench.unit.clock.now());
    store.replace(prepared.unwrap().unwrap()).unwrap();
    let spool = Spool::open(&dir.path().join("spool"), 1 << 20).unwrap();
    let sealing = bench.unit.identity.sealing.clone();
    bench.unit.documents = Documents::new(spool, sealing, store, Policy::default());
    let notices = bench.unit.trust_notices.subscribe();
    for (serial, codes) in [(7, 0), (6, 1), (8, 1)] {
        let (notice, _sealed) = notice(&bench, serial);
        assert!(bench.command(Command::Trust(notice)).await);
        assert_eq!(bench.codes().await, vec!["M-108"; codes], "{serial}");
        let handed = notices.borrow().as_ref().map(|notice| notice.serial);
        assert_eq!(handed, (serial == 8).then_some(8));
    }
}

/// Its sync says nothing of bundles, so central tells it of none.
#[tokio::test]
async fn a_machine_that_takes_no_bundles_sets_such_a_command_aside() {
    let mut bench = Bench::new().await;
    let (notice, _sealed) = notice(&bench, 8);
    assert!(bench.command(Command::Trust(notice)).await);
    assert_eq!(bench.codes().await, ["M-101"]);
}
