//! A machine with more than one broker: what it believes at which, and when it goes to the next.

use std::time::Duration;

use loket_domain::roam::Roam;
use loket_link::{Inbound, Inbox, LinkConfig, LinkHandle, LinkTask, Publication, Qos, open};
use loket_wire::presence::decode;
use loket_wire::topic::{CENTRAL_STATE, Channel, for_machine};
use loket_wire::{CentralState, Event, Hello, MachineState, Timestamp, frame};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backlog::Broker;
use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

const FIRST: Hello = Hello::from_bytes([1; 8]);
const SECOND: Hello = Hello::from_bytes([2; 8]);

fn at(seconds: u64) -> Timestamp {
    DAY.saturating_add(Duration::from_secs(seconds))
}

fn presence(bench: &Bench, online: bool, hello: Hello, at: Timestamp) -> Vec<u8> {
    let hello = Some(hello);
    let body = encode(&CentralState { online, at, hello }).unwrap();
    frame::seal(CENTRAL_STATE, &body, &bench.central).unwrap()
}

#[tokio::test]
async fn what_central_says_at_one_broker_says_nothing_of_another() {
    let mut bench = Bench::new().await;
    bench.cursor.place = super::super::Place::new(Roam::new(2, Duration::from_secs(300)));
    let hear = |bench: &mut Bench, online, hello, seconds| {
        let payload = presence(bench, online, hello, at(seconds));
        bench.unit.asks_for_sync(&payload, &mut bench.cursor)
    };
    bench.cursor.arrive(0);
    assert!(bench.cursor.place.leave_at().is_some(), "not heard yet");
    assert!(hear(&mut bench, true, FIRST, 100));
    assert!(bench.cursor.place.leave_at().is_some(), "a word of old?");
    answer(&mut bench).await;
    assert_eq!(bench.cursor.place.leave_at(), None, "here");
    hear(&mut bench, false, FIRST, 200);
    assert!(bench.cursor.is_central_away());
    assert!(bench.cursor.place.leave_at().is_some());

    // At the second broker central announced itself long before, and is there all the same.
    bench.cursor.arrive(1);
    bench.cursor.answered = None;
    assert!(!bench.cursor.is_central_away());
    assert_eq!(
        bench.cursor.hello, None,
        "what was drawn there is not for here"
    );
    assert!(bench.cursor.place.leave_at().is_some());
    assert!(hear(&mut bench, true, SECOND, 50));
    assert_eq!(bench.cursor.hello, Some(SECOND));
    answer(&mut bench).await;
    assert_eq!(bench.cursor.place.leave_at(), None);
    // On the next connection the broker says the same again, or nothing where it was wiped.
    bench.cursor.arrive(1);
    answer(&mut bench).await;
    assert!(bench.cursor.place.leave_at().is_some());
    hear(&mut bench, true, SECOND, 50);
    assert_eq!(bench.cursor.place.leave_at(), None);

    // Back at the first, its last word stands: what it held back does not bring central back.
    bench.cursor.arrive(0);
    assert!(bench.cursor.is_central_away());
    assert!(!hear(&mut bench, true, FIRST, 100));
    assert!(bench.cursor.place.leave_at().is_some());
    answer(&mut bench).await;
    assert!(bench.cursor.place.leave_at().is_some());
    assert!(hear(&mut bench, true, SECOND, 300));
    assert_eq!(bench.cursor.place.leave_at(), None);
}

#[tokio::test]
async fn a_connection_that_comes_back_is_no_reason_to_wait_any_longer() {
    let mut bench = Bench::new().await;
    bench.cursor.place = super::super::Place::new(Roam::new(2, Duration::from_secs(300)));
    bench.cursor.arrive(0);
    let leave_at = bench.cursor.place.leave_at();
    assert!(leave_at.is_some());
    for _time in 0..5 {
        bench.cursor.arrive(0);
        assert_eq!(bench.cursor.place.leave_at(), leave_at);
    }
    bench.cursor.arrive(1);
    assert_ne!(bench.cursor.place.leave_at(), leave_at, "drawn anew");
}

/// A central whose clock was a year ahead and was put right: what it says of itself is earlier than what it said.
#[tokio::test]
async fn central_is_met_at_once_after_its_clock_was_set_back() {
    const YEAR_S: u64 = 365 * 86_400;
    let mut bench = Bench::new().await;
    bench.cursor.place = super::super::Place::new(Roam::new(2, Duration::from_secs(300)));
    let hear = |bench: &mut Bench, online, hello, seconds| {
        let payload = presence(bench, online, hello, at(seconds));
        bench.unit.asks_for_sync(&payload, &mut bench.cursor)
    };
    let ack = |command_seq, at| Ack {
        epoch: EPOCH,
        seq: 0,
        at,
        hello: None,
        command_seq: Some(command_seq),
        session_seq: None,
    };
    bench.cursor.arrive(1);
    hear(&mut bench, true, FIRST, YEAR_S);
    bench.cursor.arrive(0);
    hear(&mut bench, true, FIRST, YEAR_S);
    let before = encode(&ack(1, at(YEAR_S))).unwrap();
    assert!(bench.hear(Channel::Ack, &before).await);
    hear(&mut bench, false, FIRST, YEAR_S + 1);
    assert!(bench.cursor.is_central_away());
    bench.cursor.owes_sync = false;

    assert!(
        !hear(&mut bench, true, SECOND, 10),
        "a word of old, it seems"
    );
    let after = encode(&ack(2, at(20))).unwrap();
    assert!(bench.hear(Channel::Ack, &after).await);
    assert_eq!(bench.unit.clock.now().floor, at(20));
    assert!(!bench.cursor.is_central_away());
    assert!(bench.cursor.owes_sync, "its question is answered");
    assert_eq!(bench.cursor.hello, Some(SECOND));
    assert_eq!(bench.cursor.place.leave_at(), None, "it is here");
    // Nor does what it said elsewhere hide it there.
    bench.cursor.arrive(1);
    assert!(hear(&mut bench, true, SECOND, 30));
}

/// Central's acknowledgement of nothing, after it heard the machine on this connection.
fn nothing_acked(session_seq: Option<u64>) -> Vec<u8> {
    let ack = Ack {
        epoch: EPOCH,
        seq: 0,
        at: DAY,
        hello: None,
        command_seq: None,
        session_seq,
    };
    encode(&ack).unwrap()
}

/// A central that names no connection is taken at its word.
async fn answer(bench: &mut Bench) {
    assert!(bench.hear(Channel::Ack, &nothing_acked(None)).await);
}

#[tokio::test]
async fn an_answer_to_an_earlier_connection_is_none() {
    let mut bench = Bench::new().await;
    bench.cursor.place = super::super::Place::new(Roam::new(2, Duration::from_secs(300)));
    bench.cursor.arrive(0);
    bench.cursor.session_seq = 7;
    let payload = presence(&bench, true, FIRST, at(1));
    bench.unit.asks_for_sync(&payload, &mut bench.cursor);
    for (named, is_here) in [(0, false), (6, false), (8, false), (7, true)] {
        let ack = nothing_acked(Some(named));
        assert!(bench.hear(Channel::Ack, &ack).await);
        let leaves = bench.cursor.place.leave_at().is_some();
        assert_eq!(leaves, !is_here, "{named}");
    }
}

#[tokio::test]
async fn a_word_that_is_not_centrals_keeps_nobody_at_a_broker() {
    let mut bench = Bench::new().await;
    bench.cursor.place = super::super::Place::new(Roam::new(2, Duration::from_secs(300)));
    bench.cursor.arrive(0);
    bench.central = signing_key(9);
    let forged = presence(&bench, true, FIRST, at(1));
    assert!(!bench.unit.asks_for_sync(&forged, &mut bench.cursor));
    assert!(bench.cursor.place.leave_at().is_some());
}

/// Central's end of one broker.
struct Central {
    link: LinkHandle,
    inbox: Inbox,
    /// Whether it is one that answers.
    answers: bool,
}

/// What a machine says, as far as these tests look.
#[derive(Debug)]
enum Said {
    State(MachineState),
    Sync,
    Report(u64),
}

impl Central {
    async fn at(broker: &Broker, running: &mut JoinSet<Result<(), loket_link::LinkError>>) -> Self {
        let (link, mut inbox, task) = open(LinkConfig {
            subscriptions: vec!["loket/v1/desa-contoh-1/#".to_owned()],
            ..LinkConfig::new("central", vec![broker.address()])
        });
        running.spawn(task.run(CancellationToken::new()));
        while !matches!(inbox.next().await, Some(Inbound::Up { .. })) {}
        Self {
            link,
            inbox,
            answers: false,
        }
    }

    /// Acknowledges nothing, having heard the machine on this connection.
    fn ack(&self, bench: &Bench, session_seq: u64) {
        let topic = Channel::Ack.topic(&bench.unit.machine);
        let body = nothing_acked(Some(session_seq));
        let ack = frame::seal(&topic, &body, &bench.central).unwrap();
        self.publish(&topic, ack, false);
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

    /// The next thing that the machine says; what it is told comes by here too, and is passed over.
    async fn next(&mut self, bench: &Bench) -> Said {
        let key = bench.unit.identity.report_key.verifying_key();
        loop {
            let Some(Inbound::Message {
                topic,
                payload,
                ack,
                ..
            }) = self.inbox.next().await
            else {
                panic!("the link ended");
            };
            self.link.ack(ack);
            let Ok(body) = frame::open(&topic, &payload, &key) else {
                continue;
            };
            match Channel::parse(&topic).unwrap().1 {
                Channel::State => return Said::State(decode(&body).unwrap()),
                Channel::Sync => {
                    let sync: loket_wire::Sync = decode(&body).unwrap();
                    if self.answers {
                        self.ack(bench, sync.session_seq);
                    }
                    return Said::Sync;
                }
                Channel::Event(_) => return Said::Report(Event::decode(&body).unwrap().seq),
                Channel::Heartbeat | Channel::Command(_) | Channel::Ack => {}
            }
        }
    }

    /// Waits for the machine's state, past what else it says.
    async fn state(&mut self, bench: &Bench) -> MachineState {
        loop {
            if let Said::State(state) = self.next(bench).await {
                return state;
            }
        }
    }

    /// Waits for the machine's sync, past what else it says.
    async fn sync(&mut self, bench: &Bench) {
        while !matches!(self.next(bench).await, Said::Sync) {}
    }

    /// Waits for this report, past what else the machine says.
    async fn report(&mut self, bench: &Bench, seq: u64) {
        loop {
            match self.next(bench).await {
                Said::Report(found) if found == seq => return,
                Said::Report(_) | Said::State(_) | Said::Sync => {}
            }
        }
    }
}

fn over(brokers: [&Broker; 2], bench: &Bench) -> (LinkHandle, Inbox, LinkTask) {
    open(LinkConfig {
        subscriptions: for_machine(&bench.unit.machine),
        ..LinkConfig::new("desa-contoh-1", brokers.map(Broker::address).to_vec())
    })
}

/// The order lies in the session that the first broker kept, and is offered at the second as well.
#[tokio::test]
async fn a_machine_leaves_a_broker_without_central_and_an_order_from_both_is_one_job() {
    let (one, two) = (Broker::start(), Broker::start());
    let bench = Bench::new().await;
    let mut running = JoinSet::new();
    // At the first broker central's presence is one of old, and nobody answers.
    let mut at_one = Central::at(&one, &mut running).await;
    at_one.publish(CENTRAL_STATE, presence(&bench, true, FIRST, at(0)), true);
    let mut at_two = Central::at(&two, &mut running).await;
    at_two.answers = true;
    at_two.publish(CENTRAL_STATE, presence(&bench, true, SECOND, at(1)), true);
    let mut unit = bench.unit_alike();
    unit.roam = Roam::new(2, Duration::from_millis(200));
    let stop = CancellationToken::new();
    let (link, inbox, task) = over([&one, &two], &bench);
    running.spawn(task.run(stop.clone()));
    let machine = bench.unit.machine.clone();
    let order = Command::Print(Box::new(bench.order(1, 1)));
    let (topic, body) = (
        Channel::Command("print".to_owned()).topic(&machine),
        order.encode().unwrap(),
    );
    let order = || frame::seal(&topic, &body, &bench.central).unwrap();
    let reading = async {
        let (first, goodbye) = (at_one.state(&bench).await, at_one.state(&bench).await);
        assert!(first.online && !goodbye.online);
        assert_eq!(first.session_seq, goodbye.session_seq);
        let here = at_two.state(&bench).await;
        assert!(here.online && here.session_seq > first.session_seq);
        // It lies in the session at the first broker, which the machine never resumed but by coming back.
        at_one.publish(&topic, order(), false);
        at_two.publish(&topic, order(), false);
        at_two.report(&bench, 1).await;
        let held = bench.unit.journal.outbox_span().await.unwrap().last;
        // Central leaves the second and comes to the first: the machine follows, with all that is not acknowledged.
        at_one.answers = true;
        at_one.publish(CENTRAL_STATE, presence(&bench, true, FIRST, at(2)), true);
        at_two.answers = false;
        at_two.publish(CENTRAL_STATE, presence(&bench, false, SECOND, at(3)), true);
        at_one.report(&bench, 1).await;
        // The copy that waited there is answered with the state of the one job, under a new number.
        at_one.report(&bench, held + 1).await;
        stop.cancel();
    };
    let both = tokio::time::timeout(DEADLINE, async {
        tokio::join!(unit.run(link, inbox, stop.clone()), reading)
    });
    both.await.expect("both sides come to the end").0.unwrap();
    assert_eq!(bench.unit.desk.jobs().await.unwrap().len(), 1);
    assert!(bench.codes().await.is_empty(), "nothing was set aside");
    running.shutdown().await;
}

/// Central was at the first broker once. Its presence is kept there, as by a broker that came back from its database, and
/// an acknowledgement lies in the machine's session.
#[tokio::test]
async fn what_central_said_to_an_earlier_connection_keeps_nobody_where_it_is_no_longer() {
    let (one, two) = (Broker::start(), Broker::start());
    let bench = Bench::new().await;
    let mut running = JoinSet::new();
    let mut at_one = Central::at(&one, &mut running).await;
    let mut at_two = Central::at(&two, &mut running).await;
    (at_one.answers, at_two.answers) = (true, true);
    at_one.publish(CENTRAL_STATE, presence(&bench, true, FIRST, at(0)), true);
    at_two.publish(CENTRAL_STATE, presence(&bench, true, SECOND, at(1)), true);
    let mut unit = bench.unit_alike();
    unit.roam = Roam::new(2, Duration::from_millis(200));
    let stop = CancellationToken::new();
    let (link, inbox, task) = over([&one, &two], &bench);
    running.spawn(task.run(stop.clone()));
    let reading = async {
        let first = at_one.state(&bench).await;
        at_one.sync(&bench).await;
        at_one.publish(CENTRAL_STATE, presence(&bench, false, FIRST, at(2)), true);
        assert!(!at_one.state(&bench).await.online, "it leaves");
        let there = at_two.state(&bench).await;
        at_two.sync(&bench).await;
        at_one.ack(&bench, first.session_seq);
        at_one.publish(CENTRAL_STATE, presence(&bench, true, FIRST, at(3)), true);
        at_one.answers = false;
        at_two.publish(CENTRAL_STATE, presence(&bench, false, SECOND, at(4)), true);
        assert!(!at_two.state(&bench).await.online, "it leaves");
        let back = at_one.state(&bench).await;
        assert!(back.online && back.session_seq > there.session_seq);
        // Nobody answers here.
        assert!(!at_one.state(&bench).await.online, "it leaves again");
        assert!(at_two.state(&bench).await.online);
        stop.cancel();
    };
    let both = tokio::time::timeout(DEADLINE, async {
        tokio::join!(unit.run(link, inbox, stop.clone()), reading)
    });
    both.await.expect("both sides come to the end").0.unwrap();
    running.shutdown().await;
}
