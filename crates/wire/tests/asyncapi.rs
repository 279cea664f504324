//! `docs/asyncapi.yaml` says what the code does: its topics, kinds, words and fields.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

#[path = "fixtures/files.rs"]
mod files;
#[path = "asyncapi/yaml.rs"]
mod yaml;

use std::collections::BTreeSet;

use loket_wire::event::QUARANTINE_CODES;
use loket_wire::sealed::Suite;
use loket_wire::topic::{CENTRAL_STATE, Channel, FROM_MACHINES, for_machine};
use loket_wire::{Class, Command, JobState, MachineId, Reason, Release, Report, VERSION, frame};
use serde::Serialize;
use serde_json::{Value, json};

use files::{V1, v1};

fn document() -> Value {
    yaml::read(include_str!("../../../docs/asyncapi.yaml")).unwrap()
}

fn follow<'a>(document: &'a Value, at: &'a Value) -> &'a Value {
    match at.get("$ref").and_then(Value::as_str) {
        Some(link) => document.pointer(link.trim_start_matches('#')).unwrap(),
        None => at,
    }
}

/// The topics of the protocol for a machine, with the name of the message that each carries.
fn topics(machine: &MachineId) -> Vec<(String, String)> {
    let mut channels = vec![
        (Channel::State, "state".to_owned()),
        (Channel::Heartbeat, "hb".to_owned()),
        (Channel::Sync, "sync".to_owned()),
        (Channel::Ack, "ack".to_owned()),
    ];
    let events = Report::KINDS.map(|kind| (Channel::Event(kind.to_owned()), format!("evt-{kind}")));
    let commands =
        Command::KINDS.map(|kind| (Channel::Command(kind.to_owned()), format!("cmd-{kind}")));
    channels.extend(events);
    channels.extend(commands);
    let mut topics: Vec<_> = channels
        .into_iter()
        .map(|(channel, name)| {
            // A variant that topic.rs gains and this list lacks does not compile here.
            match channel {
                Channel::State
                | Channel::Heartbeat
                | Channel::Event(_)
                | Channel::Sync
                | Channel::Command(_)
                | Channel::Ack => (channel.topic(machine), name),
            }
        })
        .collect();
    topics.push((CENTRAL_STATE.to_owned(), "central-state".to_owned()));
    topics
}

#[test]
fn every_topic_and_kind_has_its_channel() {
    let machine: MachineId = "desa-contoh-1".parse().unwrap();
    let document = document();
    let channels = document["channels"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = channels
        .iter()
        .map(|(name, channel)| {
            let address = channel["address"].as_str().unwrap();
            let messages = channel["messages"].as_object().unwrap();
            assert_eq!(messages.keys().collect::<Vec<_>>(), [name]);
            (address.replace("{machine}", machine.as_str()), name.clone())
        })
        .collect();
    let real: BTreeSet<_> = topics(&machine).into_iter().collect();
    assert_eq!(described, real);
}

/// Whether an MQTT filter takes a topic (MQTT 5, section 4.7; `+` alone is used).
fn takes(filter: &str, topic: &str) -> bool {
    let (filter, topic): (Vec<_>, Vec<_>) =
        (filter.split('/').collect(), topic.split('/').collect());
    let mut pairs = filter.iter().zip(&topic);
    filter.len() == topic.len() && pairs.all(|(want, have)| *want == "+" || want == have)
}

#[test]
fn who_sends_what_fits_the_subscriptions_of_both_sides() {
    let machine: MachineId = "desa-contoh-1".parse().unwrap();
    let document = document();
    let operations = document["operations"].as_object().unwrap();
    let mut used = BTreeSet::new();
    for operation in operations.values() {
        let link = operation["channel"]["$ref"].as_str().unwrap();
        assert!(used.insert(link), "{link} has two operations");
        let channel = follow(&document, &operation["channel"]);
        let topic = channel["address"]
            .as_str()
            .unwrap()
            .replace("{machine}", machine.as_str());
        let name = link.rsplit('/').next().unwrap();
        let is_sent = operation["action"] == "send";
        let filters: Vec<String> = if is_sent {
            FROM_MACHINES.map(str::to_owned).to_vec()
        } else {
            for_machine(&machine)
        };
        let matching = filters
            .iter()
            .filter(|filter| takes(filter, &topic))
            .count();
        assert_eq!(matching, 1, "{topic}");
        let signer = if is_sent { "machine" } else { "central" };
        let message = &document["components"]["messages"][name];
        assert_eq!(message["x-loket-signed-by"], signer, "{name}");
        let mqtt = &operation["bindings"]["mqtt"];
        assert_eq!(mqtt["qos"], if name == "hb" { 0 } else { 1 }, "{name}");
        assert_eq!(mqtt["retain"], name.ends_with("state"), "{name}");
    }
    assert_eq!(used.len(), document["channels"].as_object().unwrap().len());
}

/// Compares a value with its schema; `exact` also wants every property that the schema has to be there.
fn conform(document: &Value, schema: &Value, value: &Value, at: &str, exact: bool) {
    let schema = follow(document, schema);
    let kind = &schema["type"];
    let types: Vec<&str> = match kind.as_array() {
        Some(several) => several.iter().map(|it| it.as_str().unwrap()).collect(),
        None => vec![kind.as_str().unwrap()],
    };
    let is_type = |name: &&str| match *name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{at}: type {other} is not known here"),
    };
    assert!(
        types.iter().any(is_type),
        "{at}: {value} is none of {types:?}"
    );
    if let Some(only) = schema.get("const") {
        assert_eq!(value, only, "{at}");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        assert!(words.contains(value), "{at}: {value}");
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_i64(), value.as_i64()) {
        assert!(number >= least, "{at}: {number}");
    }
    for entry in value.as_array().into_iter().flatten() {
        conform(document, &schema["items"], entry, &format!("{at}[]"), exact);
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    let properties = schema["properties"].as_object().unwrap();
    let named: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    let present: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
    // Where nothing is required, the list is left out.
    let required = schema.get("required").and_then(Value::as_array);
    let required: BTreeSet<&str> = required
        .into_iter()
        .flatten()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert_eq!(present, if exact { named } else { required }, "{at}");
    for (name, field) in fields {
        conform(
            document,
            &properties[name],
            field,
            &format!("{at}.{name}"),
            exact,
        );
    }
}

fn check(document: &Value, schema: &str, file: &str, exact: bool) {
    let value: Value = serde_json::from_str(v1(file)).unwrap();
    let schema = &document["components"]["schemas"][schema];
    conform(document, schema, &value, file, exact);
}

#[test]
fn the_fields_of_each_schema_are_those_of_its_fixture() {
    let document = document();
    let messages = document["components"]["messages"].as_object().unwrap();
    for (name, message) in messages {
        assert_eq!(
            message["payload"]["$ref"], "#/components/schemas/Frame",
            "{name}"
        );
        let link = message["x-loket-body"]["$ref"].as_str().unwrap();
        let schema = link.trim_start_matches("#/components/schemas/");
        // A report of a job given by hand has what any other has, and more.
        let local = format!("{name}-local");
        let has_local = V1.iter().any(|(known, _text)| *known == local);
        check(
            &document,
            schema,
            if has_local { &local } else { name },
            true,
        );
        // Where a message has fields that may be absent, a second fixture holds the others alone.
        let bare = format!("{name}-bare");
        let has_bare = V1.iter().any(|(known, _text)| *known == bare);
        check(
            &document,
            schema,
            if has_bare { &bare } else { name },
            false,
        );
    }
    let bare: Value = serde_json::from_str(v1("evt-job-local-bare")).unwrap();
    let local = &document["components"]["schemas"]["LocalJob"];
    conform(
        &document,
        local,
        &bare["report"]["local"],
        "evt-job-local-bare",
        false,
    );
    check(&document, "Beat", "hb-beat", true);
    check(&document, "Secrets", "secrets", true);
    check(&document, "Secrets", "secrets-bare", false);
    for (file, _text) in V1.iter().filter(|(name, _text)| name.starts_with("frame-")) {
        check(&document, "Frame", file, true);
    }
}

#[test]
fn no_schema_is_there_for_nothing() {
    let text = include_str!("../../../docs/asyncapi.yaml");
    let document = document();
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let link = format!("\"#/components/schemas/{name}\"");
        // Secrets are inside an envelope, sealed: nothing can point at them.
        assert!(text.contains(&link) || name == "Secrets", "{name}");
    }
    assert!(text.contains(&format!("At most {} bytes", frame::MAX_PAYLOAD_BYTES)));
    assert_eq!(
        document["components"]["schemas"]["Frame"]["properties"]["v"]["const"],
        VERSION
    );
}

#[test]
fn every_code_of_what_is_set_aside_is_listed_and_no_other() {
    let document = document();
    let code = &document["components"]["schemas"]["QuarantineReport"]["properties"]["code"];
    let text = code["description"].as_str().unwrap();
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let listed: Vec<&str> = words
        .filter(|word| word.starts_with("W-") || word.starts_with("M-"))
        .collect();
    assert_eq!(listed, QUARANTINE_CODES);
}

fn words<T: Serialize>(all: &[T]) -> Value {
    all.iter().map(|it| json!(it)).collect()
}

/// The reason after this one; the compiler asks for a new one's place.
const fn next(reason: Reason) -> Option<Reason> {
    Some(match reason {
        Reason::Replay => Reason::WrongMachine,
        Reason::WrongMachine => Reason::Altered,
        Reason::Altered => Reason::KeyUnknown,
        Reason::KeyUnknown => Reason::Malformed,
        Reason::Malformed => Reason::Poison,
        Reason::Poison => Reason::NotAfter,
        Reason::NotAfter => Reason::DocumentGone,
        Reason::DocumentGone => Reason::DocumentMismatch,
        Reason::DocumentMismatch => Reason::SpoolFull,
        Reason::SpoolFull => Reason::SignatureInvalid,
        Reason::SignatureInvalid => Reason::SignatureIndeterminate,
        Reason::SignatureIndeterminate => Reason::NoPrinter,
        Reason::NoPrinter => Reason::FormatUnsupported,
        Reason::FormatUnsupported => Reason::NotDrawn,
        Reason::NotDrawn => Reason::PrinterRefused,
        Reason::PrinterRefused => Reason::AttemptsExhausted,
        Reason::AttemptsExhausted => Reason::PrinterBusy,
        Reason::PrinterBusy => Reason::PrinterAway,
        Reason::PrinterAway => Reason::PrinterFault,
        Reason::PrinterFault => Reason::AttributesRefused,
        Reason::AttributesRefused => Reason::CancelledAtPrinter,
        Reason::CancelledAtPrinter => Reason::PrinterAborted,
        Reason::PrinterAborted => Reason::PrinterForgot,
        Reason::PrinterForgot => Reason::PrinterRestarted,
        Reason::PrinterRestarted => Reason::ImpressionsDisagree,
        Reason::ImpressionsDisagree => Reason::FateNotSeen,
        Reason::FateNotSeen => Reason::JournalLost,
        Reason::JournalLost => Reason::SpoolLost,
        Reason::SpoolLost => Reason::ByOfficer,
        Reason::ByOfficer => Reason::ByCentral,
        Reason::ByCentral => Reason::AlreadySending,
        Reason::AlreadySending => Reason::OfficerSaw,
        Reason::OfficerSaw => Reason::OfficerFoundNone,
        Reason::OfficerFoundNone => Reason::SheetDamaged,
        Reason::SheetDamaged => Reason::ExerciseUnseen,
        Reason::ExerciseUnseen => Reason::Other,
        Reason::Other => return None,
    })
}

#[test]
fn every_word_of_states_reasons_and_orders_is_listed() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["JobState"]["enum"], words(&JobState::ALL));
    let reasons: Vec<Reason> =
        std::iter::successors(Some(Reason::Replay), |it| next(*it)).collect();
    assert_eq!(schemas["Reason"]["enum"], words(&reasons));
    let order = &schemas["PrintOrder"]["properties"];
    assert_eq!(
        order["class"]["enum"],
        words(&[Class::Controlled, Class::Own])
    );
    assert_eq!(
        order["release"]["enum"],
        words(&[Release::Now, Release::Officer, Release::Code])
    );
    assert_eq!(
        schemas["Envelope"]["properties"]["suite"]["enum"],
        words(&[Suite::X25519])
    );
}
