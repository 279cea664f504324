//! The trust bundle as machines meet it: announced, fetched, numbered, and the same after a start.

use loket_wire::TrustBundle;
use tokio::time::timeout;

use crate::client::Client;
use crate::client_of;
use crate::described::{Ask, Described};
use crate::machine::Machine;
use crate::rig::{DEADLINE, Rig, fixture};

/// The serial of the newest bundle, once there is one.
pub(crate) async fn newest_trust(client: &Client) -> u64 {
    let newest = async {
        loop {
            let machines = client.get("/api/v1/machines").await.json();
            if let Some(serial) = machines["trust"]["serial"].as_u64() {
                return serial;
            }
        }
    };
    timeout(DEADLINE, newest).await.expect("central makes one")
}

/// Meets every answer that is described of the route. What is in the bytes is judged below.
pub(crate) async fn ask_for_trust(rig: &Rig, it: &Client, machine: &Machine, d: &mut Described) {
    let path = "/machine/v1/trust/{serial}";
    let newest = newest_trust(it).await;
    let client = Client {
        address: machine.documents,
        tls: Some(machine.tls.clone()),
        token: String::new(),
    };
    let replaced = rig.authority.issue("desa-contoh-1", 99);
    let stranger = Client {
        tls: Some(rig.authority.client_tls(&replaced)),
        ..client.clone()
    };
    let named = newest.to_string();
    let ask = |client| Ask::new(client, "get", path);
    ask(&client).of("1").get(d, 410).await;
    ask(&client).of("%FF").get(d, 400).await;
    ask(&stranger).of(&named).get(d, 403).await;
    let beyond = ask(&client).of(&named).with("range", "bytes=99999999-");
    beyond.get(d, 416).await;
    let met = |status: &str| (path.to_owned(), "get".to_owned(), status.to_owned());
    for from in [0, 9] {
        assert!(!machine.fetch_trust(newest, from).await.unwrap().is_empty());
    }
    d.met.extend([met("200"), met("206")]);
}

/// A central that judges by a folder of its own, without the issuing authority's list.
async fn without_list() -> Rig {
    let rig = Rig::prepare(|settings| {
        let (head, rest) = settings.split_once("trust_dir = ").unwrap();
        let (_folder, rest) = rest.split_once('\n').unwrap();
        format!("{head}trust_dir = \"trust\"\n{rest}")
    })
    .await;
    std::fs::create_dir(rig.home.path().join("trust")).unwrap();
    for name in ["root.pem", "issuing.pem"] {
        put(&rig, name);
    }
    rig
}

fn put(rig: &Rig, name: &str) {
    let path = rig.home.path().join("trust").join(name);
    std::fs::write(path, fixture(&format!("trust/{name}"))).unwrap();
}

#[tokio::test]
async fn a_list_put_into_the_folder_is_signed_numbered_and_announced_to_who_takes_bundles() {
    let mut rig = without_list().await;
    rig.run().await;
    let it = client_of(&rig, "it").await;
    let first = newest_trust(&it).await;
    // One that takes no bundles hears of none; the other is told after its sync.
    let mut plain = rig.enrol("desa-contoh-2", 12).connect().await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    machine.trust_serial = Some(0);
    machine.say_sync(Vec::new());
    let notice = machine.trust_notice().await;
    assert_eq!(notice.serial, first);
    let sealed = machine.machine.fetch_trust(first, 0).await.unwrap();
    assert_eq!(loket_wire::Sha256Digest::of(&sealed), notice.bundle.sha256);
    let opened = TrustBundle::open(&sealed, &rig.central_key).unwrap();
    assert_eq!((opened.serial, opened.items.len()), (first, 2));
    let rest = machine.machine.fetch_trust(first, 100).await.unwrap();
    assert_eq!(rest, sealed[100..], "resumed");

    // Who has it is told nothing at its sync; the next message is about the next bundle.
    machine.trust_serial = Some(first);
    machine.say_sync(Vec::new());
    put(&rig, "issuing.crl");
    let notice = machine.trust_notice().await;
    assert!(notice.serial > first);
    let gone = machine.machine.fetch_trust(first, 0).await;
    assert!(
        matches!(gone, Err(loket_link::FetchError::Gone)),
        "{gone:?}"
    );
    let sealed = machine.machine.fetch_trust(notice.serial, 0).await.unwrap();
    let opened = TrustBundle::open(&sealed, &rig.central_key).unwrap();
    assert!(opened.items.contains(&fixture("trust/issuing.crl")));
    let history = it.get("/api/v1/history").await.json();
    let rows = history["rows"].as_array().unwrap();
    let made = rows.iter().filter(|row| row["kind"] == "trust-bundle-made");
    assert_eq!(made.count(), 2);

    // Which hosts are official goes with it, and is read again like the rest.
    assert_eq!(opened.hosts, None);
    let path = rig.home.path().join("trust/qr-hosts.toml");
    std::fs::write(&path, include_bytes!("../../../crates/qr/hosts.toml")).unwrap();
    machine.trust_serial = Some(notice.serial);
    machine.say_sync(Vec::new());
    let notice = machine.trust_notice().await;
    let sealed = machine.machine.fetch_trust(notice.serial, 0).await.unwrap();
    let hosts = TrustBundle::open(&sealed, &rig.central_key).unwrap().hosts;
    let official = hosts.unwrap().official;
    assert!(official[0].host.ends_with(".kemendagri.go.id"));
    // The one that takes none heard nothing but its acknowledgement.
    plain.say_sync(Vec::new());
    assert!(!plain.order_before_ack(0).await);

    // A start finds the same folder and says the same bundle, byte for byte.
    rig.stop().await;
    rig.run().await;
    let it = Client {
        address: rig.api,
        ..it
    };
    assert_eq!(newest_trust(&it).await, notice.serial);
    let machine = rig.moved(machine.machine);
    let again = machine.fetch_trust(notice.serial, 0).await.unwrap();
    assert_eq!(again, sealed);
}

#[tokio::test]
async fn a_central_from_a_backup_numbers_on_above_what_its_machines_hold() {
    let mut rig = without_list().await;
    rig.run().await;
    let it = client_of(&rig, "it").await;
    let first = newest_trust(&it).await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    machine.trust_serial = Some(first + 60_000);
    machine.say_sync(Vec::new());
    let notice = machine.trust_notice().await;
    assert_eq!(notice.serial, first + 60_001);
    // A number out of all reason is no bundle of ours.
    machine.trust_serial = Some(u64::MAX);
    machine.say_sync(Vec::new());
    assert_eq!(machine.ack().await.seq, 0);
    assert_eq!(newest_trust(&it).await, notice.serial);
}
