//! Decoders meet random and mutated bytes and never panic; what they take, they can write again.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "fixtures/files.rs"]
mod files;

use loket_wire::enrolment::{EnrolmentRequest, InstallBundle, MachineRecord};
use loket_wire::event::EventPlace;
use loket_wire::order::OrderError;
use loket_wire::presence::{decode, encode};
use loket_wire::sealed::{Binding, Envelope, SealingKey, SealingPublic, Secrets};
use loket_wire::sign::{SigningKey, VerifyingKey};
use loket_wire::topic::Channel;
use loket_wire::{
    Ack, CentralState, Command, Epoch, Event, Heartbeat, JobId, KeyId, MachineId, MachineState,
    OfficeId, Order, Reference, Service, Sha256Digest, Sync, Timestamp, frame,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use serde::Serialize;
use serde::de::DeserializeOwned;

use files::{V1, v1};

/// What was read is written and read back as the same bytes.
fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(read) = decode::<T>(bytes) {
        let written = encode(&read).unwrap();
        let read: T = decode(&written).unwrap();
        assert_eq!(encode(&read).unwrap(), written);
    }
}

fn read_all(bytes: &[u8]) {
    for kind in ["print", "cancel", "trust", "rotate", ""] {
        if let Ok(command) = Command::decode(kind, bytes) {
            let written = command.encode().unwrap();
            assert_eq!(Command::decode(kind, &written).unwrap(), command);
        }
    }
    if let Ok(event) = Event::decode(bytes) {
        assert_eq!(Event::decode(&event.encode().unwrap()).unwrap(), event);
    }
    let _place: Result<EventPlace, _> = decode(bytes);
    again::<MachineState>(bytes);
    again::<Heartbeat>(bytes);
    again::<Sync>(bytes);
    again::<Ack>(bytes);
    again::<CentralState>(bytes);
    again::<MachineRecord>(bytes);
    again::<EnrolmentRequest>(bytes);
    again::<InstallBundle>(bytes);
    again::<Secrets>(bytes);
    again::<Order>(bytes);
    if let Ok(order) = decode::<Order>(bytes) {
        let code = order.check().map_or_else(OrderError::code, |()| "O-");
        assert!(code.starts_with("O-"));
    }
    if let Ok(envelope) = decode::<Envelope>(bytes) {
        let binding = Binding {
            recipient: "desa-contoh-1",
            job: JobId::from_parts(0, [0; 10]),
            epoch: Epoch::from_bytes([0; 16]),
            not_after: Timestamp::UNIX_EPOCH,
        };
        let opened = SealingKey::from_bytes([7; 32]).open(&binding, &envelope);
        assert!(opened.is_err());
    }
}

fn open_frames(bytes: &[u8]) {
    let record: MachineRecord = decode(v1("machine-record").as_bytes()).unwrap();
    let bundle: InstallBundle = decode(v1("install-bundle").as_bytes()).unwrap();
    for key in [record.report_key, bundle.central_key] {
        drop(frame::open("loket/v1/desa-contoh-1/ack", bytes, &key));
    }
    drop(SigningKey::ed25519_from_pkcs8(bytes));
}

/// Each text form reads what it wrote, or refuses.
fn read_text(text: &str) {
    macro_rules! back {
        ($($name:ty),*) => {$(
            if let Ok(read) = text.parse::<$name>() {
                assert_eq!(read.to_string().parse::<$name>().unwrap(), read);
            }
        )*};
    }
    back!(JobId, MachineId, OfficeId, Reference, Epoch, KeyId);
    if let Ok(digest) = Sha256Digest::parse(text) {
        assert_eq!(Sha256Digest::parse(&digest.to_string()).unwrap(), digest);
    }
    if let Ok(key) = VerifyingKey::parse(text) {
        assert_eq!(VerifyingKey::parse(&key.to_string()).unwrap(), key);
        assert!(!key.verifies(b"", b""));
    }
    if let Ok(key) = SealingPublic::parse(text) {
        assert_eq!(SealingPublic::parse(&key.to_string()).unwrap(), key);
    }
    if let Ok(moment) = Timestamp::parse_rfc3339(text) {
        assert_eq!(
            Timestamp::parse_rfc3339(&moment.to_string()).unwrap(),
            moment
        );
    }
    drop(Service::new(text));
    if let Some((machine, channel)) = Channel::parse(text) {
        assert_eq!(channel.topic(&machine), text);
    }
}

/// One change of bytes.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index),
    Insert(Index, Vec<u8>),
    Swap(Index, Index),
}

/// Pieces that mean something to a JSON reader.
const PIECES: [&str; 12] = [
    "null",
    "-1",
    "18446744073709551616",
    "1e999",
    "\"\"",
    "{",
    "}",
    "[[",
    "\"\\ud800\"",
    "\u{0}",
    ",\"kind\":\"job\"",
    "true",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 1_u8..).prop_map(|(at, mask)| Mutation::Flip(at, mask)),
        at().prop_map(Mutation::Cut),
        at().prop_map(Mutation::Remove),
        (at(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at(), select(&PIECES[..])).prop_map(|(at, it)| Mutation::Insert(at, it.into())),
        (at(), at()).prop_map(|(one, other)| Mutation::Swap(one, other)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    match mutation {
        Mutation::Flip(at, mask) => {
            if let Some(byte) = bytes.get_mut(at.index(len)) {
                *byte ^= mask;
            }
        }
        Mutation::Cut(at) => bytes.truncate(at.index(len)),
        Mutation::Remove(at) => drop(bytes.remove(at.index(len))),
        Mutation::Insert(at, more) => {
            let at = at.index(len);
            drop(bytes.splice(at..at, more.iter().copied()));
        }
        Mutation::Swap(one, other) => bytes.swap(one.index(len), other.index(len)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        rng_seed: RngSeed::Fixed(0x006c_6f6b_6574),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_are_refused_without_panic(bytes in vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
        open_frames(&bytes);
        read_text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn mutated_fixtures_are_read_or_refused_without_panic(
        (_name, text) in select(V1),
        mutations in vec(mutation(), 1..6),
    ) {
        let mut bytes = text.trim_end().as_bytes().to_vec();
        for each in &mutations {
            mutate(&mut bytes, each);
        }
        read_all(&bytes);
        open_frames(&bytes);
    }

    #[test]
    fn a_mutated_frame_that_opens_is_the_frame(mutations in vec(mutation(), 1..4)) {
        let bundle: InstallBundle = decode(v1("install-bundle").as_bytes()).unwrap();
        let mut bytes = v1("frame-ack").as_bytes().to_vec();
        for each in &mutations {
            mutate(&mut bytes, each);
        }
        let opened = frame::open("loket/v1/desa-contoh-1/ack", &bytes, &bundle.central_key);
        if let Ok(body) = opened {
            prop_assert_eq!(body, v1("ack-bare").as_bytes());
        }
    }

    #[test]
    fn text_forms_read_back(
        text in prop_oneof![
            "[a-z0-9-]{1,34}",
            "[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64}",
            "loket/v1/[a-z0-9-]{2,6}/(state|hb|sync|ack|evt/[a-z+]{0,4}|cmd/[a-z]{0,4})(/x)?",
            "[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89c][0-9a-f]{3}-[0-9a-f]{12}",
            "(ed25519|p256|rsa):[A-Za-z0-9+/]{43}=",
            "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-5][0-9])",
            "\\PC{0,40}",
        ],
    ) {
        read_text(&text);
    }
}

/// Some ten seconds without optimisation.
const MESSAGES: u64 = 20_000;
const FRAMES: u64 = 40_000;

#[test]
fn fuzz_messages() {
    let good: Vec<&[u8]> = V1
        .iter()
        .map(|(_name, text)| text.trim_end().as_bytes())
        .collect();
    loket_fuzz::fuzz("messages", MESSAGES, &good, |bytes| {
        read_all(bytes);
        read_text(&String::from_utf8_lossy(bytes));
    });
}

#[test]
fn fuzz_frames() {
    let good = v1("frame-ack");
    let bundle: InstallBundle = decode(v1("install-bundle").as_bytes()).unwrap();
    loket_fuzz::fuzz("frames", FRAMES, &[good.as_bytes()], |bytes| {
        open_frames(bytes);
        let opened = frame::open("loket/v1/desa-contoh-1/ack", bytes, &bundle.central_key);
        if let Ok(body) = opened {
            assert_eq!(body, v1("ack-bare").as_bytes());
        }
    });
}
