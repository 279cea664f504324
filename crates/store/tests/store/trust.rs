//! Serials of trust bundles grow, whatever happens to the clock or the file.

use loket_store::{SqliteStore, Store, StoreError};
use loket_wire::Sha256Digest;

use crate::world::{World, at};

#[test]
fn a_serial_is_the_moment_and_grows_where_the_clock_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    assert_eq!(world.store.trust_bundle().unwrap(), None);
    let (one, two) = (Sha256Digest::of(b"1"), Sha256Digest::of(b"2"));
    let begin = |content, above, seconds| {
        let row = world
            .store
            .begin_trust_bundle(content, above, at(seconds))
            .unwrap();
        assert_eq!(world.store.trust_bundle().unwrap(), Some(row));
        assert_eq!((row.made_at, row.content_sha256), (at(seconds), content));
        row.serial
    };
    assert_eq!(begin(one, 0, 50), 50_000);
    assert_eq!(begin(two, 0, 50), 50_001);
    assert_eq!(begin(two, 0, 20), 50_002, "the clock was set back");
    assert_eq!(
        begin(one, 70_000, 60),
        70_001,
        "a machine holds a later one"
    );
    assert_eq!(begin(one, 0, 80), 80_000);
    for more in 0..150 {
        begin(one, 0, 81 + more);
    }
    let rows = world.store.history_from(0, 1000).unwrap();
    let made = rows.iter().filter(|row| row.kind == "trust-bundle-made");
    assert_eq!(made.count(), 155);
    world.check();
    let too_high = world.store.begin_trust_bundle(one, u64::MAX - 1, at(300));
    assert!(
        matches!(too_high, Err(StoreError::OutOfRange { .. })),
        "{too_high:?}"
    );
}
