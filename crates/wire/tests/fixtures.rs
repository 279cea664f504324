//! Every message of version 1 as bytes: today's code reads each and writes the same, ignores what a newer version
//! adds, and refuses what was tampered with.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

#[path = "fixtures/files.rs"]
mod files;
#[path = "fixtures/later.rs"]
mod later;
#[path = "fixtures/refused.rs"]
mod refused;
#[path = "fixtures/samples.rs"]
mod samples;

use std::collections::BTreeSet;
use std::path::Path;

use data_encoding::BASE64;
use loket_wire::enrolment::{EnrolmentRequest, InstallBundle, MachineRecord, RECORD_CONTEXT};
use loket_wire::presence::{decode, encode};
use loket_wire::sealed::{SealingPublic, Secrets};
use loket_wire::sign::SigningKey;
use loket_wire::topic::Channel;
use loket_wire::{
    Ack, Beat, CentralState, Command, Event, Heartbeat, MachineState, Order, Sync, frame,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use files::{V1, v1};
use samples::{DOCUMENT, at, envelope, job, keys, machine};

/// The file reads as `expect`, and `expect` is written as the file.
fn check<T>(name: &str, expect: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let written = String::from_utf8(encode(expect).unwrap()).unwrap();
    assert_eq!(v1(name), written, "{name}");
    let read: T = decode(v1(name).as_bytes()).unwrap();
    assert!(read == *expect, "{name} reads as {read:?}");
}

fn check_command(name: &str, expect: &Command) {
    let written = String::from_utf8(expect.encode().unwrap()).unwrap();
    assert_eq!(v1(name), written, "{name}");
    let read = Command::decode(expect.kind(), v1(name).as_bytes()).unwrap();
    assert_eq!(read, *expect, "{name}");
}

fn check_event(name: &str, expect: &Event) {
    let written = String::from_utf8(expect.encode().unwrap()).unwrap();
    assert_eq!(v1(name), written, "{name}");
    assert_eq!(
        Event::decode(v1(name).as_bytes()).unwrap(),
        *expect,
        "{name}"
    );
}

#[test]
fn every_command_reads_and_writes_as_its_fixture() {
    let order = samples::print_order(envelope());
    check_command("cmd-print", &Command::Print(Box::new(order)));
    check_command("cmd-cancel", &samples::cancel());
    check_command("cmd-trust", &samples::trust());
}

#[test]
fn every_report_reads_and_writes_as_its_fixture() {
    check_event("evt-job", &samples::job_event(true));
    check_event("evt-job-bare", &samples::job_event(false));
    check_event("evt-job-local", &samples::local_event(true));
    check_event("evt-job-local-bare", &samples::local_event(false));
    check_event("evt-device", &samples::device_event(true));
    check_event("evt-device-bare", &samples::device_event(false));
    check_event("evt-key", &samples::key_event());
    check_event("evt-quarantine", &samples::quarantine_event());
}

#[test]
fn every_presence_reads_and_writes_as_its_fixture() {
    check::<MachineState>("state", &samples::state());
    check::<Heartbeat>("hb", &samples::heartbeat(true));
    check::<Heartbeat>("hb-bare", &samples::heartbeat(false));
    check::<Sync>("sync", &samples::sync(true));
    check::<Sync>("sync-bare", &samples::sync(false));
    check::<Beat>("hb-beat", &samples::beat());
    check::<Ack>("ack", &samples::ack(true));
    check::<Ack>("ack-bare", &samples::ack(false));
    check::<CentralState>("central-state", &samples::central_state(true));
    check::<CentralState>("central-state-bare", &samples::central_state(false));
}

#[test]
fn files_of_enrolment_and_orders_read_and_write_as_their_fixtures() {
    check::<MachineRecord>("machine-record", &samples::machine_record());
    check::<Order>("order", &samples::order(true));
    check::<Order>("order-bare", &samples::order(false));
    assert_eq!(samples::order(true).check(), Ok(()));
    assert_eq!(samples::order(false).check(), Ok(()));

    let request: EnrolmentRequest = decode(v1("enrolment-request").as_bytes()).unwrap();
    check("enrolment-request", &request);
    let public = SealingPublic::parse(&request.sealing_public_key).unwrap();
    assert_eq!(public, keys().sealing.public().unwrap());
    assert_eq!(request.machine, machine());

    let bundle: InstallBundle = decode(v1("install-bundle").as_bytes()).unwrap();
    check("install-bundle", &bundle);
    assert_eq!(bundle.central_key, keys().central.verifying_key());
    assert_eq!(bundle.machine, machine());
}

#[test]
fn the_envelope_opens_and_seeded_bytes_seal_it_again() {
    let order = samples::print_order(envelope());
    let opened = keys()
        .sealing
        .open(&order.binding(), &order.envelope)
        .unwrap();
    assert!(opened == samples::secrets(None));
    assert_eq!(samples::sealed_again(), envelope());

    let written = serde_json::to_string(&samples::secrets(None)).unwrap();
    assert_eq!(v1("secrets-bare"), written);
    let written = serde_json::to_string(&samples::secrets(Some("00420042"))).unwrap();
    assert_eq!(v1("secrets"), written);
    assert!(decode::<Secrets>(written.as_bytes()).unwrap() == samples::secrets(Some("00420042")));

    let blob: String = serde_json::from_str(v1("document-blob")).unwrap();
    let blob = BASE64.decode(blob.as_bytes()).unwrap();
    assert_eq!(blob, samples::document_blob());
    assert_eq!(*opened.open_document(job(1), &blob).unwrap(), DOCUMENT);
}

#[test]
fn the_trust_bundle_opens_and_central_signs_it_again_with_the_same_bytes() {
    for (name, bundle) in [
        ("trust-bundle", samples::trust_bundle()),
        ("trust-bundle-hosts", samples::trust_bundle_with_hosts()),
    ] {
        let sealed: String = serde_json::from_str(v1(name)).unwrap();
        let sealed = BASE64.decode(sealed.as_bytes()).unwrap();
        let opened =
            loket_wire::TrustBundle::open(&sealed, &keys().central.verifying_key()).unwrap();
        assert_eq!(opened, bundle, "{name}");
        assert_eq!(opened.seal(&keys().central).unwrap(), sealed, "{name}");
    }
}

/// The frames of version 1: file, topic or context, signer, file of the body.
fn frames() -> Vec<(&'static str, String, SigningKey, &'static str)> {
    let on = |channel: Channel| channel.topic(&machine());
    vec![
        ("frame-ack", on(Channel::Ack), keys().central, "ack-bare"),
        (
            "frame-cmd-print",
            on(Channel::Command("print".to_owned())),
            keys().central,
            "cmd-print",
        ),
        (
            "frame-evt-job",
            on(Channel::Event("job".to_owned())),
            keys().machine,
            "evt-job",
        ),
        (
            "frame-machine-record",
            RECORD_CONTEXT.to_owned(),
            keys().authority,
            "machine-record",
        ),
    ]
}

#[test]
fn every_frame_opens_and_central_signs_it_again_with_the_same_bytes() {
    for (name, topic, key, body) in frames() {
        let opened = frame::open(&topic, v1(name).as_bytes(), &key.verifying_key()).unwrap();
        assert_eq!(String::from_utf8(opened).unwrap(), v1(body), "{name}");
        let sealed = frame::seal(&topic, v1(body).as_bytes(), &key).unwrap();
        let is_deterministic = matches!(key, SigningKey::Ed25519(_));
        // ECDSA draws a nonce, so a machine's frame differs in its signature each time.
        assert!(!is_deterministic || sealed == v1(name).as_bytes(), "{name}");
    }
}

#[test]
fn no_fixture_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1");
    #[expect(
        clippy::disallowed_methods,
        reason = "a list of files is what is compared"
    )]
    let entries = std::fs::read_dir(folder).unwrap();
    let names: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known: BTreeSet<String> = V1
        .iter()
        .map(|(name, _text)| format!("{name}.json"))
        .collect();
    assert_eq!(names, known);
    for (name, text) in V1 {
        assert!(text.ends_with('\n') && text.lines().count() == 1, "{name}");
    }
}

#[test]
fn times_are_milliseconds_and_text_is_rfc_3339() {
    assert_eq!(at(0).to_string(), "2026-11-18T07:06:40.25Z");
    assert!(v1("cmd-print").contains(&format!("\"issued_at_ms\":{}", at(2).unix_ms())));
    assert!(v1("order").contains("\"not_after\":\"2026-11-25T07:06:40.25Z\""));
}
