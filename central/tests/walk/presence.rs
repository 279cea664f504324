//! Which machines are there, after central itself was away.

use std::time::Duration;

use loket_store::{SqliteStore, Store as _};
use loket_wire::Timestamp;

use crate::client_of;
use crate::rig::Rig;

pub(crate) fn now() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_unix_ms(i64::try_from(now.unwrap().as_millis()).unwrap())
}

/// The broker says again what it kept of each machine; that is no sign of life.
#[tokio::test]
async fn a_restarted_central_shows_machines_as_they_left_off_and_not_as_the_broker_kept_them() {
    let mut rig = Rig::prepare(|settings| settings).await;
    std::fs::create_dir(rig.home.path().join("state")).unwrap();
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let day = minutes(24 * 60);
    let machines = [
        ("desa-contoh-1", 11, true, day, "offline"),
        ("desa-contoh-2", 12, true, minutes(5), "online"),
        ("desa-contoh-3", 13, false, minutes(5), "late"),
    ];
    for (name, serial, online, silence, _shown) in machines {
        let machine = rig.enrol(name, serial);
        let store = SqliteStore::open(&rig.home.path().join("state/central.db")).unwrap();
        let record = machine.record();
        store.upsert_machine(&record, record.enrolled_at).unwrap();
        let heard = now().saturating_sub(silence);
        store.record_link_seen(&machine.id, heard).unwrap();
        drop(store);
        let linked = machine.link().await;
        linked.say_state(online);
        linked.leave().await;
    }
    rig.run().await;
    let it = client_of(&rig, "it").await;
    for (name, _serial, _online, _silence, shown) in machines {
        // The software is told by what the broker kept, and by nothing else here.
        let known = loop {
            let all = it.get("/api/v1/machines").await.json();
            let all = all["machines"].as_array().unwrap().clone();
            let known = all.into_iter().find(|known| known["machine"] == name);
            let known = known.unwrap();
            if known["software"].is_string() {
                break known;
            }
        };
        assert_eq!(known["connectivity"], shown, "{known}");
    }
}
