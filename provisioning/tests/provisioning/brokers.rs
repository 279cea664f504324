//! Several brokers of one authority: each has its own files, and each is told of a revocation.

use std::fs;
use std::path::Path;

use loket_provisioning::{
    Authority, BrokerOptions, ProvisionError, Refusal, broker_config, forget_broker,
};

use crate::site::{authority_at, endpoint, enrolled, now};

fn fresh() -> (tempfile::TempDir, Authority) {
    let dir = tempfile::tempdir().unwrap();
    let authority = authority_at(&dir.path().join("authority"), now());
    (dir, authority)
}

fn set_up(authority: &Authority, out: &Path, port: u16) -> Result<(), ProvisionError> {
    let listen = endpoint("127.0.0.1", port);
    let options = BrokerOptions::new(listen, out.to_owned(), out.to_owned());
    broker_config(authority, &options, now()).map(drop)
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn a_revocation_is_written_for_every_broker_and_one_that_is_forgotten_is_let_be() {
    let (dir, authority) = fresh();
    let folders = ["one", "two", "three"].map(|name| dir.path().join(name));
    let [one, two, three] = &folders;
    for (folder, port) in folders.iter().zip(8883..) {
        set_up(&authority, folder, port).unwrap();
        assert!(text(folder, "mosquitto.conf").contains(&format!("listener {port} ")));
    }
    let _machine = enrolled(&authority, "desa-a-1", now());
    let _machine = enrolled(&authority, "desa-b-1", now());
    let machine = "desa-a-1".parse().unwrap();
    let revoked = authority.revoke(&machine, now()).unwrap();
    assert_eq!(revoked.broker_folders, folders);
    let list = fs::read(authority.dir().join("crl.pem")).unwrap();
    for folder in &folders {
        assert!(text(folder, "acl").contains("user desa-a-1\ntopic deny #"));
        assert_eq!(fs::read(folder.join("crl.pem")).unwrap(), list);
    }

    // A folder that is gone is told, and keeps the others from nothing.
    fs::remove_dir_all(two).unwrap();
    let machine = "desa-b-1".parse().unwrap();
    let told = authority.revoke(&machine, now());
    assert!(
        matches!(told, Err(ProvisionError::Write { .. })),
        "{told:?}"
    );
    let list = fs::read(authority.dir().join("crl.pem")).unwrap();
    for folder in [one, three] {
        assert!(text(folder, "acl").contains("user desa-b-1\ntopic deny #"));
        assert_eq!(fs::read(folder.join("crl.pem")).unwrap(), list);
    }
    assert!(!authority.dir().join("machines/desa-b-1.json").exists());

    forget_broker(&authority, two).unwrap();
    let revoked = authority.revoke(&machine, now()).unwrap();
    assert_eq!(revoked.broker_folders, [one.clone(), three.clone()]);
    let again = forget_broker(&authority, two);
    let Err(ProvisionError::Refused(refusal @ Refusal::UnknownBroker { .. })) = again else {
        panic!("{again:?}");
    };
    assert_eq!(refusal.code(), "E-120");
}

#[test]
fn a_folder_is_one_broker_and_there_is_an_end_to_them() {
    let (dir, authority) = fresh();
    for port in 1..=4 {
        let folder = dir.path().join(format!("broker-{port}"));
        set_up(&authority, &folder, port).unwrap();
        set_up(&authority, &folder, port + 100).unwrap();
    }
    let fifth = dir.path().join("broker-5");
    let refused = set_up(&authority, &fifth, 5);
    let Err(ProvisionError::Refused(refusal @ Refusal::TooManyBrokers { .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusal.code(), "E-118");
    assert!(!fifth.exists());
    // An administrator's list is judged by the same rule.
    let settings = authority.dir().join("authority.toml");
    let mut list = fs::read_to_string(&settings).unwrap();
    for _broker in 0..2 {
        list.push_str("\n[[brokers]]\nhost = \"b.example\"\nport = 8883\n");
    }
    fs::write(&settings, list).unwrap();
    assert!(matches!(
        Authority::open(authority.dir()),
        Err(ProvisionError::Refused(Refusal::BrokerTwice { .. }))
    ));
}

/// What a version wrote that knew one broker.
#[test]
fn the_one_broker_of_an_earlier_version_is_still_told() {
    let (dir, authority) = fresh();
    let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
    fs::create_dir(&one).unwrap();
    let written = format!(
        r#"{{"version":1,"options":{{"listen":{{"host":"0.0.0.0","port":8883}},"out":{one:?},"installed_at":{one:?},"user":null,"persistence":null}}}}"#
    );
    fs::write(authority.dir().join("broker.json"), written).unwrap();
    let _machine = enrolled(&authority, "desa-a-1", now());
    let machine = "desa-a-1".parse().unwrap();
    let revoked = authority.revoke(&machine, now()).unwrap();
    assert_eq!(revoked.broker_folders, std::slice::from_ref(&one));
    assert!(text(&one, "acl").contains("desa-a-1"));
    set_up(&authority, &two, 8884).unwrap();
    let revoked = authority.revoke(&machine, now()).unwrap();
    assert_eq!(revoked.broker_folders, [one, two]);
}
