//! What a machine says when, and to whom: order on a connection, central's coming and going, a day's cost.

use std::time::Duration;

use loket_link::{Inbound, Inbox, LinkConfig, LinkHandle, Publication, Qos, open};
use loket_wire::presence::decode;
use loket_wire::topic::{CENTRAL_STATE, Channel, for_machine};
use loket_wire::{
    CentralState, Event, Hello, JobState, MachineState, Reason, Report, Sync, Timestamp, frame,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backlog::Broker;
use super::*;

pub(super) const DEADLINE: Duration = Duration::from_secs(20);

pub(super) const FIRST: Hello = Hello::from_bytes([1; 8]);
const SECOND: Hello = Hello::from_bytes([2; 8]);

pub(super) fn at(seconds: u64) -> Timestamp {
    DAY.saturating_add(Duration::from_secs(seconds))
}

pub(super) fn presence(
    bench: &Bench,
    online: bool,
    hello: Option<Hello>,
    at: Timestamp,
) -> Vec<u8> {
    let body = encode(&CentralState { online, at, hello }).unwrap();
    frame::seal(CENTRAL_STATE, &body, &bench.central).unwrap()
}

/// A message of a machine, read by its topic.
#[derive(Debug)]
pub(super) enum Said {
    State(MachineState),
    Sync(Sync),
    Report(u64, Report),
}

pub(super) fn read(bench: &Bench, topic: &str, payload: &[u8]) -> Said {
    let key = bench.unit.identity.report_key.verifying_key();
    let body = frame::open(topic, payload, &key).unwrap();
    match Channel::parse(topic).unwrap().1 {
        Channel::State => Said::State(decode(&body).unwrap()),
        Channel::Sync => Said::Sync(decode(&body).unwrap()),
        Channel::Event(_) => {
            let event = Event::decode(&body).unwrap();
            Said::Report(event.seq, event.report)
        }
        Channel::Heartbeat | Channel::Command(_) | Channel::Ack => panic!("{topic}"),
    }
}

#[tokio::test]
async fn only_another_hello_or_a_return_asks_for_a_sync() {
    let mut bench = Bench::new().await;
    let steps = [
        ("first heard", true, FIRST, 10, true),
        ("the same, later: its clock alone", true, FIRST, 20, false),
        ("held back by a broker", true, SECOND, 15, false),
        ("a will of another connection", false, SECOND, 5, false),
        (
            "its own will, signed before it was up",
            false,
            FIRST,
            9,
            false,
        ),
        ("back", true, FIRST, 30, true),
        ("another connection", true, SECOND, 40, true),
    ];
    for (what, online, hello, seconds, expect) in steps {
        let payload = presence(&bench, online, Some(hello), at(seconds));
        let asks = bench.unit.asks_for_sync(&payload, &mut bench.cursor);
        assert_eq!(asks, expect, "{what}");
        if asks {
            bench.cursor.answered = bench.cursor.hello;
        }
        let is_away = what.starts_with("its own will");
        assert_eq!(bench.cursor.is_central_away(), is_away, "{what}");
    }
    let forged = frame::seal(CENTRAL_STATE, b"{}", &signing_key(9)).unwrap();
    assert!(!bench.unit.asks_for_sync(&forged, &mut bench.cursor));
}

#[tokio::test]
async fn a_central_that_draws_nothing_is_met_by_its_time() {
    let mut bench = Bench::new().await;
    for (seconds, expect) in [(10, true), (10, false), (9, false), (11, true)] {
        let payload = presence(&bench, true, None, at(seconds));
        let asks = bench.unit.asks_for_sync(&payload, &mut bench.cursor);
        assert_eq!(asks, expect, "{seconds}");
    }
}

#[tokio::test]
async fn a_question_in_an_acknowledgement_is_answered_once() {
    let mut bench = Bench::new().await;
    for (hello, expect) in [(None, false), (Some(FIRST), true), (Some(FIRST), false)] {
        let ack = Ack {
            epoch: EPOCH,
            seq: 0,
            at: DAY,
            hello,
            command_seq: None,
            session_seq: None,
        };
        bench.cursor.owes_sync = false;
        assert!(bench.hear(Channel::Ack, &encode(&ack).unwrap()).await);
        assert_eq!(bench.cursor.owes_sync, expect);
        bench.cursor.answered = bench.cursor.hello;
    }
}

#[test]
fn pauses_double_up_to_an_hour_and_begin_anew() {
    let mut republish = Republish::after(Duration::from_secs(60));
    let mut waits = Vec::new();
    for _time in 0..8 {
        waits.push(republish.wait.as_secs());
        republish.back_off();
    }
    assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    republish.reset();
    assert_eq!(republish.wait.as_secs(), 60);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_refused_by_its_job_unless_the_job_is_held() {
    let mut bench = Bench::new().await;
    let unreadable = |no: u8| {
        let body = serde_json::json!({ "job_id": job_no(no), "from": "a later version" });
        serde_json::to_vec(&body).unwrap()
    };
    let print = || Channel::Command("print".to_owned());
    assert!(bench.hear(print(), &unreadable(1)).await);
    let rows = bench.unit.journal.outbox_after(0, 8).await.unwrap();
    let reports: Vec<Report> = rows
        .iter()
        .map(|row| serde_json::from_slice(&row.bytes).unwrap())
        .collect();
    let [Report::Job(told), Report::Quarantine(aside)] = reports.as_slice() else {
        panic!("the job's end and what was set aside: {reports:?}");
    };
    assert_eq!(
        (told.job_id, told.state, told.reason),
        (job_no(1), JobState::Rejected, Some(Reason::Malformed))
    );
    assert_eq!(aside.code, "M-102");
    // Of a job that is held, the order was read before: the job goes on.
    let order = bench.order(2, 1);
    assert!(bench.print(&order).await);
    let state = bench.state(2).await;
    assert!(bench.hear(print(), &unreadable(2)).await);
    assert_eq!(bench.state(2).await, state);
    assert_eq!(bench.codes().await, ["M-102", "M-102"]);
}

/// Central's end of a real broker.
struct Central {
    link: LinkHandle,
    inbox: Inbox,
}

impl Central {
    async fn next(&mut self, bench: &Bench) -> Said {
        loop {
            if let Some(Inbound::Message {
                topic,
                payload,
                ack,
                ..
            }) = self.inbox.next().await
            {
                self.link.ack(ack);
                return read(bench, &topic, &payload);
            }
        }
    }

    /// The next report's number.
    async fn next_seq(&mut self, bench: &Bench) -> u64 {
        match self.next(bench).await {
            Said::Report(seq, _report) => seq,
            other @ (Said::State(_) | Said::Sync(_)) => panic!("{other:?} instead of a report"),
        }
    }

    fn publish(&self, topic: &str, payload: Vec<u8>, retain: bool) {
        let publication = Publication {
            topic: topic.to_owned(),
            payload,
            qos: Qos::AtLeastOnce,
            retain,
            expiry: None,
        };
        self.link.publish(publication).unwrap();
    }

    /// A command that is set aside and becomes a report of the machine.
    fn command(&self, bench: &Bench) {
        let topic = Channel::Command("dance".to_owned()).topic(&bench.unit.machine);
        let payload = frame::seal(&topic, b"{}", &bench.central).unwrap();
        self.publish(&topic, payload, false);
    }
}

/// A link over mosquitto, once it is up.
fn linked(
    broker: &Broker,
    id: &str,
    subscriptions: Vec<String>,
    running: &mut JoinSet<Result<(), loket_link::LinkError>>,
) -> (LinkHandle, Inbox) {
    let (link, inbox, task) = open(LinkConfig {
        subscriptions,
        ..LinkConfig::new(id, vec![broker.address()])
    });
    running.spawn(task.run(CancellationToken::new()));
    (link, inbox)
}

#[tokio::test]
async fn nothing_is_published_again_while_central_is_away_and_all_once_it_is_back() {
    let broker = Broker::start();
    let bench = Bench::new().await;
    let mut running = JoinSet::new();
    let from_machines = ["evt/+", "sync"].map(|channel| format!("loket/v1/+/{channel}"));
    let (link, mut inbox) = linked(&broker, "central", from_machines.to_vec(), &mut running);
    while !matches!(inbox.next().await, Some(Inbound::Up { .. })) {}
    let mut central = Central { link, inbox };
    central.publish(
        CENTRAL_STATE,
        presence(&bench, true, Some(FIRST), at(10)),
        true,
    );
    let here = for_machine(&bench.unit.machine);
    let (link, inbox) = linked(&broker, "desa-contoh-1", here, &mut running);
    let stop = CancellationToken::new();
    let mut unit = bench.unit_alike();
    // So short that whatever is not held back is published again at once.
    unit.republish_after = Duration::from_millis(1);
    let reading = async {
        // One sync before central is heard, another in answer; the retained presence may come first.
        loop {
            match central.next(&bench).await {
                Said::Sync(sync) if sync.hello == Some(FIRST) => break,
                Said::Sync(_before) => {}
                other @ (Said::State(_) | Said::Report(..)) => panic!("{other:?}"),
            }
        }
        // The will: signed before the connection it belongs to stood.
        central.publish(
            CENTRAL_STATE,
            presence(&bench, false, Some(FIRST), at(9)),
            true,
        );
        for seq in 1..=6 {
            central.command(&bench);
            assert_eq!(central.next_seq(&bench).await, seq, "each comes once");
        }
        central.publish(
            CENTRAL_STATE,
            presence(&bench, true, Some(SECOND), at(20)),
            true,
        );
        let Said::Sync(sync) = central.next(&bench).await else {
            panic!("what is held comes first");
        };
        assert_eq!((sync.hello, sync.last_event_seq), (Some(SECOND), 6));
        for seq in 1..=6 {
            assert_eq!(central.next_seq(&bench).await, seq);
        }
        // Nothing acknowledged them: now they come again by themselves.
        assert_eq!(central.next_seq(&bench).await, 1);
        stop.cancel();
    };
    let both = tokio::time::timeout(DEADLINE, async {
        tokio::join!(unit.run(link, inbox, stop.clone()), reading)
    });
    both.await.expect("both sides come to the end").0.unwrap();
    running.shutdown().await;
}

#[test]
fn every_code_of_what_is_set_aside_stands_in_the_protocol() {
    use super::super::inbound::Quarantine;
    let own = [
        Quarantine::UnknownKind,
        Quarantine::Malformed,
        Quarantine::WrongMachine,
        Quarantine::OtherEpoch,
        Quarantine::Replay,
        Quarantine::Poison,
    ];
    let own = own.iter().map(|why| why.code());
    for code in own.chain([super::super::outbound::UNSENDABLE]) {
        assert!(
            loket_wire::event::QUARANTINE_CODES.contains(&code),
            "{code}"
        );
    }
}

/// What one day of nothing to say costs, counted at the TLS socket in both directions.
///
/// Shape: MQTT 5 packets (3.3.2: topic, packet id, one property of 5 bytes) in TLS 1.3 records (RFC 8446, 5.2: 22 bytes
/// around each).
#[tokio::test]
async fn an_idle_day_costs_less_than_fifty_kilobytes() {
    const RECORD: usize = 22;
    const PER_DAY: u64 = 96;
    const PINGS: usize = 24 * 3_600 / 300;
    let bench = Bench::new().await;
    let machine = "desa-3279012001-1".parse().unwrap();
    let packet = |topic: &str, payload: &[u8], is_confirmed: bool| {
        let packet_id = if is_confirmed { 2 } else { 0 };
        RECORD + 3 + 2 + topic.len() + packet_id + 6 + payload.len()
    };
    let (topic, key) = (
        Channel::Heartbeat.topic(&machine),
        &bench.unit.identity.report_key,
    );
    let mut beats = crate::unit::heartbeat::Beats::default();
    let (mut day_bytes, mut whole_count) = (PINGS * 2 * (RECORD + 2), 0);
    let start = tokio::time::Instant::now();
    for no in 0..PER_DAY {
        let since = Duration::from_secs(900 * no);
        let heartbeat = loket_wire::Heartbeat {
            session_seq: loket_wire::presence::session_seq(1_000, 3),
            at: DAY.saturating_add(since),
            clock_trusted: true,
            clock_offset_ms: Some(-12_345),
            up_time_s: since.as_secs(),
            open_job_count: 0,
            outbox_count: 0,
            spool_bytes: 0,
            disk_free_bytes: Some(64_000_000_000),
            certificate_days_left: Some(700),
            link_sent_bytes: Some(3_000_000 + 320 * no),
            link_received_bytes: Some(1_000_000 + 60 * no),
            troubles: Vec::new(),
            trust_serial: None,
            trust_made_at: None,
            judged: None,
            devices: Vec::new(),
        };
        let body = beats.body(heartbeat, start + since).unwrap();
        beats.sent();
        if decode::<loket_wire::Heartbeat>(&body).is_ok() {
            whole_count += 1;
        }
        day_bytes += packet(&topic, &frame::seal(&topic, &body, key).unwrap(), false);
    }
    let ack = Ack {
        epoch: EPOCH,
        seq: 123_456,
        at: DAY,
        hello: None,
        command_seq: None,
        session_seq: None,
    };
    let topic = Channel::Ack.topic(&machine);
    let payload = frame::seal(&topic, &encode(&ack).unwrap(), &bench.central).unwrap();
    let confirmation = RECORD + 4;
    day_bytes += whole_count * (packet(&topic, &payload, true) + confirmation);
    assert!(
        (30_000..50_000).contains(&day_bytes),
        "{day_bytes} bytes, {whole_count} whole"
    );
}

/// Central drew a number, acknowledged a report, and was set back to a copy of before.
#[tokio::test]
async fn the_highest_number_that_central_named_is_told_though_the_command_never_came() {
    let mut bench = Bench::new().await;
    let order = bench.order(1, 1);
    assert!(bench.print(&order).await);
    assert_eq!(bench.unit.last_command_seq().await.unwrap(), 1);
    let ack = Ack {
        epoch: EPOCH,
        seq: 0,
        at: at(1),
        hello: None,
        command_seq: Some(9),
        session_seq: None,
    };
    assert!(bench.hear(Channel::Ack, &encode(&ack).unwrap()).await);
    assert_eq!(bench.unit.last_command_seq().await.unwrap(), 9);
}
