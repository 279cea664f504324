//! What the generated rules do in a real broker.

use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use der::DecodePem;
use loket_provisioning::{Probe, ProvisionError, Refusal, ServerKind, cli, probe};
use loket_wire::frame::MAX_PAYLOAD_BYTES;
use rcgen::KeyPair;

use crate::client::{Client, Identity};
use crate::site::{Site, authority_at, days, enrolled, machine, now, server};

/// PUBACK reason codes (MQTT 5 §3.4.2.1).
const NO_SUBSCRIBERS: u8 = 0x10;
const NOT_AUTHORIZED: u8 = 0x87;
const PACKET_TOO_LARGE: u8 = 0x95;

fn accepted(code: u8) -> bool {
    code == 0 || code == NO_SUBSCRIBERS
}

fn topics(client: &mut Client) -> Vec<String> {
    let delivered = client.delivered();
    delivered
        .into_iter()
        .map(|(topic, _payload)| topic)
        .collect()
}

#[test]
fn a_machine_says_its_own_topics_and_nothing_else() {
    let site = Site::open();
    let own = enrolled(&site.authority, "desa-a-1", now());
    let mut client = site.connect(&own, "desa-a-1");
    for (topic, good) in [
        ("loket/v1/desa-a-1/state", true),
        ("loket/v1/desa-a-1/hb", true),
        ("loket/v1/desa-a-1/evt/job", true),
        ("loket/v1/desa-a-1/sync", true),
        ("loket/v1/desa-a-1/evt/a/b", false),
        ("loket/v1/desa-a-1/evt", false),
        ("loket/v1/desa-a-1/cmd/print", false),
        ("loket/v1/desa-a-1/ack", false),
        ("loket/v1/desa-a-1/other", false),
        ("loket/v1/desa-b-1/state", false),
        ("loket/v1/desa-b-1/evt/job", false),
        ("loket/v1/central/state", false),
        ("loket/v2/desa-a-1/state", false),
        ("other", false),
    ] {
        let code = client.publish(topic, b"{}");
        assert_eq!(accepted(code), good, "{topic}: {code:#x}");
        assert!(good || code == NOT_AUTHORIZED, "{topic}: {code:#x}");
    }
}

#[test]
fn a_machine_that_subscribes_to_everything_gets_its_own_orders() {
    let site = Site::open();
    let own = enrolled(&site.authority, "desa-a-1", now());
    let mut client = site.connect(&own, "desa-a-1");
    client.subscribe("#");
    let mut central = site.connect(&site.central, "central");
    central.subscribe("loket/#");
    for topic in [
        "loket/v1/desa-a-1/cmd/print",
        "loket/v1/desa-b-1/cmd/print",
        "loket/v1/desa-a-1/cmd/a/b",
        "loket/v1/desa-b-1/ack",
        "loket/v1/desa-a-1/ack",
        "loket/v1/desa-b-1/state",
        "loket/v1/central/state",
    ] {
        central.send_only(topic, b"{}");
    }
    assert_eq!(central.delivered().len(), 7);
    assert_eq!(
        topics(&mut client),
        [
            "loket/v1/desa-a-1/cmd/print",
            "loket/v1/desa-a-1/ack",
            "loket/v1/central/state",
        ]
    );
}

#[test]
fn nobody_without_a_good_certificate_gets_in() {
    let site = Site::open();
    let refused = |identity: Option<&Identity>, who: &str| {
        assert!(site.try_connect(identity, "desa-a-1").is_err(), "{who}");
    };
    refused(None, "no certificate");

    let other = tempfile::tempdir().unwrap();
    let stranger = authority_at(other.path(), now());
    refused(
        Some(&enrolled(&stranger, "desa-a-1", now())),
        "another authority",
    );
    refused(Some(&site.broker_identity), "the broker's own certificate");

    let long_ago = now().saturating_sub(days(190));
    refused(
        Some(&enrolled(&site.authority, "desa-b-1", long_ago)),
        "an expired certificate",
    );
    let good = enrolled(&site.authority, "desa-a-1", now());
    let bare = Identity {
        certificate_pem: good.certificate_pem.clone(),
        key_pem: good.key_pem.clone(),
    };
    assert!(site.try_connect(Some(&bare), "desa-a-1").is_ok());
}

#[test]
fn a_stolen_client_id_takes_nothing() {
    let site = Site::open();
    let (own, thief) = (
        enrolled(&site.authority, "desa-a-1", now()),
        enrolled(&site.authority, "desa-b-1", now()),
    );
    let mut client = site.connect(&own, "desa-a-1");
    client.subscribe("loket/v1/desa-a-1/cmd/+");
    let mut thief = site.connect(&thief, "desa-a-1");
    thief.subscribe("loket/v1/desa-a-1/cmd/+");
    let mut central = site.connect(&site.central, "central");
    assert_eq!(central.publish("loket/v1/desa-a-1/cmd/print", b"order"), 0);
    let expected = ("loket/v1/desa-a-1/cmd/print".to_owned(), b"order".to_vec());
    assert_eq!(client.delivered(), [expected]);
    assert_eq!(thief.delivered(), []);
    let code = thief.publish("loket/v1/desa-a-1/evt/job", b"{}");
    assert_eq!(code, NOT_AUTHORIZED);
}

#[test]
fn a_payload_over_the_bound_is_refused_and_the_session_lives() {
    let site = Site::open();
    let own = enrolled(&site.authority, "desa-a-1", now());
    let mut client = site.connect(&own, "desa-a-1");
    let topic = "loket/v1/desa-a-1/evt/job";
    let largest = vec![b'x'; MAX_PAYLOAD_BYTES];
    assert!(accepted(client.publish(topic, &largest)));
    let code = client.publish(topic, &[largest.as_slice(), b"x"].concat());
    assert_eq!(code, PACKET_TOO_LARGE);
    assert!(accepted(client.publish(topic, b"{}")));
}

#[test]
fn a_revoked_machine_loses_its_session_at_once_and_its_way_back() {
    let site = Site::open();
    let own = enrolled(&site.authority, "desa-a-1", now());
    let other = enrolled(&site.authority, "desa-b-1", now());
    let mut central = site.connect(&site.central, "central");
    let mut client = site.connect(&own, "desa-a-1");
    client.subscribe("loket/v1/desa-a-1/cmd/+");
    let mut bystander = site.connect(&other, "desa-b-1");
    bystander.subscribe("loket/v1/desa-b-1/cmd/+");
    assert_eq!(central.publish("loket/v1/desa-a-1/cmd/print", b"1"), 0);
    assert_eq!(topics(&mut client).len(), 1);

    let mut reloads = 0;
    let name = machine("desa-a-1");
    let revoked = site
        .authority
        .revoke_and(&name, now(), &mut || {
            site.reload();
            reloads += 1;
            if reloads == 1 {
                // The access rules alone hold the door before the list is written.
                central.publish("loket/v1/desa-a-1/cmd/print", b"2");
                assert_eq!(client.delivered(), []);
                let code = client.publish("loket/v1/desa-a-1/evt/job", b"{}");
                assert_eq!(code, NOT_AUTHORIZED);
                assert!(site.try_connect(Some(&own), "desa-a-1").is_ok());
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(reloads, 2);
    assert_eq!(revoked.serials.len(), 1);
    assert_eq!(revoked.broker_folders, [site.out()]);
    assert!(site.try_connect(Some(&own), "desa-a-1").is_err());

    assert_eq!(central.publish("loket/v1/desa-b-1/cmd/print", b"3"), 0);
    assert_eq!(topics(&mut bystander).len(), 1);
    let still = site.try_connect(Some(&other), "desa-b-1");
    assert!(still.is_ok());
}

#[test]
fn the_canary_tells_whether_the_revocation_list_is_in_force() {
    let mut site = Site::open();
    let asked = |site: &Site| probe(&site.authority, &site.endpoint).unwrap();
    assert_eq!(asked(&site), Probe::Revoked);

    // mosquitto fails open when it cannot read the list.
    fs::write(site.out().join("crl.pem"), "not a list\n").unwrap();
    site.reload();
    let dir = site.folder().join("authority");
    let words = [
        "loket-provision",
        "probe",
        "--dir",
        dir.to_str().unwrap(),
        "--broker",
        &format!("127.0.0.1:{}", site.endpoint.port),
    ];
    let told = cli::run(words.map(Into::into), jiff::Timestamp::now());
    assert_eq!(told.code, 1, "{told:?}");
    assert!(told.stderr.contains("CANARY GOT IN"));

    site.restart();
    assert_eq!(asked(&site), Probe::Revoked);
    let told = cli::run(words.map(Into::into), jiff::Timestamp::now());
    assert_eq!(told.code, 0, "{told:?}");
}

/// Of several brokers one may never get the list with the last revocation.
#[test]
fn a_broker_with_an_older_list_lets_the_canary_of_the_newest_in() {
    let site = Site::open();
    let dir = site.folder().join("authority");
    let broker = format!("127.0.0.1:{}", site.endpoint.port);
    let line = ["loket-provision", "probe", "--broker", &broker, "--dir"].map(OsString::from);
    let probed = || {
        let words = line.iter().cloned().chain([dir.clone().into()]);
        cli::run(words, jiff::Timestamp::now())
    };
    assert_eq!(probed().code, 0);
    let own = enrolled(&site.authority, "desa-a-1", now());
    let older = fs::read(dir.join("crl.pem")).unwrap();
    let machine = "desa-a-1".parse().unwrap();
    site.authority.revoke(&machine, now()).unwrap();

    // Written, and not read by the broker.
    assert!(site.try_connect(Some(&own), "desa-a-1").is_ok());
    let told = probed();
    assert_eq!(told.code, 1, "{told:?}");
    assert!(told.stderr.contains("CANARY GOT IN"), "{told:?}");
    assert!(
        told.stderr.contains(&format!("at {broker} is older")),
        "{told:?}"
    );

    // A power cut before the list took its place: the canary of the one that stands there counts.
    let newest = fs::read(dir.join("crl.pem")).unwrap();
    fs::write(dir.join("crl.pem"), older).unwrap();
    assert_eq!(probed().code, 0);
    fs::write(dir.join("crl.pem"), newest).unwrap();

    site.reload();
    assert_eq!(probed().code, 0);
    assert!(site.try_connect(Some(&own), "desa-a-1").is_err());
}

#[test]
fn the_command_line_revokes_at_a_running_broker() {
    let site = Site::open();
    let own = enrolled(&site.authority, "desa-a-1", now());
    drop(site.connect(&own, "desa-a-1"));
    let dir = site.folder().join("authority");
    let words = |pid: &str| {
        [
            "loket-provision",
            "revoke",
            "desa-a-1",
            "--dir",
            dir.to_str().unwrap(),
            "--pid",
            pid,
        ]
        .map(Into::into)
    };
    // The test itself is no mosquitto and would not survive the signal.
    let own_pid = std::process::id().to_string();
    let refused = cli::run(words(&own_pid), jiff::Timestamp::now());
    assert_eq!(refused.code, 65, "{refused:?}");
    assert!(refused.stderr.contains("[E-114]"), "{refused:?}");
    assert!(dir.join("machines/desa-a-1.json").exists());

    let told = cli::run(words(&site.pid().to_string()), jiff::Timestamp::now());
    assert_eq!(told.code, 0, "{told:?}");
    // One that was stolen answers no more for its jobs.
    let write_off = "/api/v1/machines/desa-a-1/write-off";
    assert!(told.stdout.contains(write_off), "{told:?}");
    // It is told twice, of its rules and of its list; the system may make one signal of two, so no line tells when the
    // second was heard.
    let until = Instant::now() + Duration::from_secs(20);
    while site.try_connect(Some(&own), "desa-a-1").is_ok() {
        assert!(Instant::now() < until, "a revoked machine is let in");
    }
}

#[test]
fn the_clients_of_mosquitto_itself_are_served() {
    let site = Site::open();
    let own = enrolled(&site.authority, "desa-a-1", now());
    let files = |name: &str, identity: &Identity| {
        let (certificate, key) = (
            site.folder().join(format!("{name}.crt")),
            site.folder().join(format!("{name}.key")),
        );
        fs::write(&certificate, &identity.certificate_pem).unwrap();
        fs::write(&key, &identity.key_pem).unwrap();
        (certificate, key)
    };
    let client = |program: &str, (certificate, key): &(_, _), topic: &str| {
        let mut command = Command::new(program);
        command
            .args(["-V", "mqttv5", "-d", "-q", "1", "-h", "127.0.0.1"])
            .args(["-p", &site.endpoint.port.to_string(), "-t", topic])
            .arg("--cafile")
            .arg(site.out().join("authority.crt"))
            .arg("--cert")
            .arg::<&std::path::PathBuf>(certificate)
            .arg("--key")
            .arg::<&std::path::PathBuf>(key);
        command
    };
    let (own, central) = (files("own", &own), files("central", &site.central));
    let topic = "loket/v1/central/state";
    let published = client("mosquitto_pub", &central, topic)
        .args(["-r", "-m", "here"])
        .output()
        .unwrap_or_else(|error| {
            panic!("mosquitto_pub (Debian package mosquitto-clients): {error}")
        });
    assert!(published.status.success());
    let heard = client("mosquitto_sub", &own, topic)
        .args(["-C", "1", "-W", "20"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&heard.stdout).into_owned();
    assert!(said.lines().any(|line| line == "here"), "{said}");

    let foreign = client("mosquitto_pub", &own, "loket/v1/desa-b-1/state")
        .args(["-m", "{}"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&foreign.stdout).into_owned();
    assert!(said.contains("RC:135"), "{said}");
}

#[test]
fn a_replaced_machine_keeps_its_name_and_loses_its_old_keys() {
    let site = Site::open();
    let old = enrolled(&site.authority, "desa-a-1", now());
    let key = KeyPair::generate().unwrap();
    let request = crate::site::request("desa-a-1", "desa-a-1", &key);
    let replaced = site
        .authority
        .replace(&request, crate::site::office(), now())
        .unwrap();
    let bundle = replaced.bundle;
    assert_eq!(replaced.revoked.unwrap().serials, [serial_of(&old)]);
    site.reload();
    let new = Identity {
        certificate_pem: bundle.certificate_pem,
        key_pem: key.serialize_pem(),
    };
    assert!(site.try_connect(Some(&old), "desa-a-1").is_err());
    let mut client = site.connect(&new, "desa-a-1");
    assert!(accepted(client.publish("loket/v1/desa-a-1/state", b"{}")));
}

/// A timer that probes every day is told in time that the list must be made anew.
#[test]
fn a_probe_tells_when_the_list_runs_out_and_ends_with_3_when_that_is_soon() {
    let site = Site::open();
    let authority = site.folder().join("authority");
    let broker = format!("127.0.0.1:{}", site.endpoint.port);
    let line = ["loket-provision", "probe", "--broker", &broker, "--dir"].map(OsString::from);
    for (after, code) in [(0, 0), (59, 0), (61, 3), (100, 3)] {
        let at = jiff::Timestamp::from_millisecond(now().saturating_add(days(after)).unix_ms());
        let words = line.iter().cloned().chain([authority.clone().into()]);
        let outcome = cli::run(words, at.unwrap());
        assert_eq!(outcome.code, code, "{after}: {outcome:?}");
        let until = site.authority.list_until().unwrap().to_string();
        assert!(outcome.stdout.contains(&until), "{outcome:?}");
        assert_eq!(outcome.stderr.contains("RUNS OUT SOON"), code == 3);
    }
}

#[test]
fn a_replacement_at_the_command_line_tells_the_broker_or_says_that_it_was_not_told() {
    let site = Site::open();
    let pid = site.pid().to_string();
    let old = enrolled(&site.authority, "desa-a-1", now());
    let at = jiff::Timestamp::from_millisecond(now().unix_ms()).unwrap();
    let replace = |more: &[&str]| {
        let key = KeyPair::generate().unwrap();
        let asked = crate::site::request("desa-a-1", "desa-a-1", &key);
        let path = site.folder().join("request.json");
        fs::write(&path, serde_json::to_string(&asked).unwrap()).unwrap();
        let dir = site.folder().join("authority");
        let out = site.folder().join("install.json");
        let mut line: Vec<OsString> = vec!["loket-provision".into(), "enrol".into(), path.into()];
        line.extend(["--dir".into(), dir.into(), "--out".into(), out.into()]);
        let words = "--kind machine --office desa-a --replace";
        line.extend(words.split(' ').chain(more.iter().copied()).map(Into::into));
        cli::run(line, at)
    };
    let told = replace(&[]).stdout;
    assert!(told.contains("NOT IN FORCE YET"), "{told}");
    assert!(told.contains("machines/desa-a-1.json to central"), "{told}");
    assert!(site.try_connect(Some(&old), "desa-a-1").is_ok(), "not told");
    let told = replace(&["--pid", &pid]).stdout;
    site.await_reload();
    assert!(told.contains(&format!("process {pid}")), "{told}");
    assert!(site.try_connect(Some(&old), "desa-a-1").is_err());
    let wrong = replace(&["--pid", &std::process::id().to_string()]);
    assert_eq!(wrong.code, 65, "{wrong:?}");
}

#[test]
fn one_certificate_of_central_is_revoked_and_the_other_stays() {
    let site = Site::open();
    let second = server(&site.authority, ServerKind::Central);
    let serial = serial_of(&site.central);
    let mut central = site.connect(&second, "anything");
    assert!(accepted(central.publish("loket/v1/desa-a-1/ack", b"{}")));
    site.authority
        .revoke_serial(&serial, now(), &mut || {
            site.reload();
            Ok(())
        })
        .unwrap();
    assert!(site.try_connect(Some(&site.central), "central").is_err());
    assert!(site.try_connect(Some(&second), "central").is_ok());
    let unknown = site.authority.revoke_serial("00", now(), &mut || Ok(()));
    assert!(matches!(
        unknown,
        Err(ProvisionError::Refused(Refusal::UnknownSerial))
    ));
}

fn serial_of(identity: &Identity) -> String {
    let certificate = x509_cert::Certificate::from_pem(&identity.certificate_pem).unwrap();
    data_encoding::HEXLOWER.encode(certificate.tbs_certificate.serial_number.as_bytes())
}
