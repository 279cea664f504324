//! Central with two brokers: where a machine is, and what an old broker says of it.

use std::sync::Arc;

use loket_link::{Inbound, Inbox, LinkConfig, LinkHandle, Publication, Qos};
use loket_wire::topic::{Channel, for_machine};
use loket_wire::{Ack, Command, JobId, PrintOrder, Sync as MachineSync, frame, presence};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lost::{lost_since_last_week, without_an_hour_of_listening};
use crate::machine::{Linked, Machine};
use crate::rig::{Broker, DEADLINE, Rig, fixture};
use crate::{client_of, job_id, order};

const ID: &str = "desa-contoh-1";

/// A central with links to the rig's broker and to a second one.
async fn with_two() -> (Rig, Broker) {
    let (mut rig, two) = prepared_for_two(|settings| settings).await;
    rig.run().await;
    (rig, two)
}

/// The same, not running yet.
async fn prepared_for_two(edit: impl Fn(String) -> String) -> (Rig, Broker) {
    let rig = Rig::prepare(edit).await;
    let home = rig.home.path().join("two");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("authority.crt"), &rig.authority.pem).unwrap();
    let two = Broker::start(&home, &rig.authority, None).await;
    let path = rig.home.path().join("central.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let list = format!(
        "}}, {{ host = \"127.0.0.1\", port = {} }}]\n[identity]",
        two.port
    );
    let settings = settings.replacen("}]\n[identity]", &list, 1);
    std::fs::write(&path, settings).unwrap();
    (rig, two)
}

/// The same machine on a later connection, at another broker.
struct Elsewhere {
    handle: LinkHandle,
    inbox: Inbox,
    _running: JoinSet<Result<(), loket_link::LinkError>>,
    _stop: DropGuard,
}

/// What central said.
#[derive(Debug)]
enum Said {
    Order(Box<PrintOrder>),
    Cancel(JobId),
    Ack(Ack),
}

const LATER: u64 = 2;

impl Elsewhere {
    /// Comes up and says what a machine says first.
    async fn connect(broker: &Broker, machine: &Linked) -> Self {
        let it = Self::listen(broker, &machine.machine).await;
        let state = machine.machine.state(LATER, true);
        it.handle.publish(state).unwrap();
        it.say_sync(machine);
        it
    }

    /// Comes up and says nothing.
    async fn listen(broker: &Broker, machine: &Machine) -> Self {
        let address = loket_link::BrokerAddress {
            host: "127.0.0.1".to_owned(),
            port: broker.port,
        };
        let (handle, inbox, task) = loket_link::open(LinkConfig {
            tls: Some(Arc::clone(&machine.tls)),
            subscriptions: for_machine(&machine.id),
            ..LinkConfig::new(ID, vec![address])
        });
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(task.run(stop.clone()));
        let mut it = Self {
            handle,
            inbox,
            _running: running,
            _stop: stop.drop_guard(),
        };
        while !matches!(it.next().await, Inbound::Up { .. }) {}
        it
    }

    async fn next(&mut self) -> Inbound {
        let next = timeout(DEADLINE, self.inbox.next()).await;
        next.expect("the link speaks").expect("it lives")
    }

    fn say_sync(&self, machine: &Linked) {
        let sync = MachineSync {
            epoch: machine.machine.epoch,
            session_seq: LATER,
            last_command_seq: 0,
            first_event_seq: None,
            last_event_seq: machine.seq,
            open_jobs: Vec::new(),
            is_complete: true,
            hello: None,
            trust_serial: None,
        };
        let topic = Channel::Sync.topic(&machine.machine.id);
        let body = presence::encode(&sync).unwrap();
        let publication = Publication {
            payload: frame::seal(&topic, &body, &machine.machine.signing).unwrap(),
            topic,
            qos: Qos::AtLeastOnce,
            retain: false,
            expiry: None,
        };
        self.handle.publish(publication).unwrap();
    }

    /// The next order or acknowledgement.
    async fn said(&mut self, machine: &Machine) -> Said {
        loop {
            let Inbound::Message {
                topic,
                payload,
                ack,
                ..
            } = self.next().await
            else {
                continue;
            };
            self.handle.ack(ack);
            let Some((_machine, channel)) = Channel::parse(&topic) else {
                continue;
            };
            let body = frame::open(&topic, &payload, &machine.central_key).unwrap();
            match channel {
                Channel::Ack => return Said::Ack(presence::decode(&body).unwrap()),
                Channel::Command(kind) => match Command::decode(&kind, &body).unwrap() {
                    Command::Print(order) => return Said::Order(order),
                    Command::Cancel(cancel) => return Said::Cancel(cancel.job_id),
                    Command::Trust(notice) => panic!("{notice:?}"),
                },
                Channel::State | Channel::Heartbeat | Channel::Event(_) | Channel::Sync => {}
            }
        }
    }

    async fn order(&mut self, machine: &Linked) -> PrintOrder {
        loop {
            match self.said(&machine.machine).await {
                Said::Order(order) => return *order,
                Said::Ack(_) => {}
                Said::Cancel(job) => panic!("{job} called off"),
            }
        }
    }

    /// Waits for this acknowledgement; it names this connection, whatever it answers.
    async fn acked(&mut self, machine: &Linked, seq: u64) {
        loop {
            if let Said::Ack(ack) = self.said(&machine.machine).await
                && ack.seq == seq
            {
                assert_eq!(ack.session_seq, Some(LATER), "{ack:?}");
                return;
            }
        }
    }
}

#[tokio::test]
async fn an_order_goes_where_the_machine_is_whatever_its_old_broker_says_of_it() {
    let (rig, two) = with_two().await;
    let it = client_of(&rig, "it").await;
    let operator = client_of(&rig, "operator").await;
    let mut machine = rig.enrol(ID, 11).connect().await;
    let mut here = Elsewhere::connect(&two, &machine).await;
    here.acked(&machine, 0).await;
    // Late from the old broker: the sync of then, and the word that the machine is gone. They are committed in order,
    // so whatever follows the acknowledgement of the second sync follows both.
    machine.say_sync(Vec::new());
    machine.say_state(false);
    machine.say_sync(Vec::new());
    for _sync in 0..2 {
        // The old connection is over: nobody is there who would answer central's question.
        assert!(!machine.order_before_ack(0).await);
    }
    let machines = it.get("/api/v1/machines").await.json();
    assert_eq!(machines["machines"][0]["connectivity"], "online");

    let document = fixture("kk-sample-bb.pdf");
    let job = job_id(&operator.bring(&document, &order(ID), None).await);
    let first = here.order(&machine).await;
    assert_eq!(first.job_id, job);
    // A report that waited at the old broker is acknowledged there and here.
    let seq = machine.say(loket_wire::Report::Device(
        loket_wire::event::DeviceReport {
            device: "a4".to_owned(),
            state: "idle".to_owned(),
            reasons: Vec::new(),
            model: None,
            stock: None,
            at: loket_wire::Timestamp::UNIX_EPOCH,
        },
    ));
    here.acked(&machine, seq).await;
    assert!(
        !machine.order_before_ack(seq).await,
        "a copy goes nowhere else"
    );

    // A sync without the job says that the order was lost: now it is rung wherever the machine could be.
    here.say_sync(&machine);
    let again = here.order(&machine).await;
    assert_eq!((again.job_id, &again.envelope), (job, &first.envelope));
    assert_eq!(machine.order().await.envelope, first.envelope);
}

/// Central's memory of where machines are does not outlive it, and the broker where this one was is gone.
#[tokio::test]
async fn a_machine_of_which_nobody_knows_where_it_is_is_asked_at_every_broker_that_is_up() {
    let (mut rig, two) = prepared_for_two(without_an_hour_of_listening).await;
    let machine = rig.enrol(ID, 11);
    let job = lost_since_last_week(&rig, &machine);
    rig.broker.kill().await;
    let mut here = Elsewhere::listen(&two, &machine).await;
    rig.run().await;
    let (mut is_called_off, mut is_asked) = (false, false);
    while !(is_called_off && is_asked) {
        match here.said(&machine).await {
            Said::Cancel(asked) => is_called_off |= asked == job,
            Said::Ack(ack) => is_asked |= ack.hello.is_some(),
            Said::Order(order) => panic!("{order:?}"),
        }
    }
}

#[tokio::test]
async fn a_broker_that_is_down_is_told_with_its_code_and_holds_nothing_up() {
    let (mut rig, two) = with_two().await;
    let it = client_of(&rig, "it").await;
    let operator = client_of(&rig, "operator").await;
    let machine = rig.enrol(ID, 11).connect().await;
    let mut here = Elsewhere::connect(&two, &machine).await;
    here.acked(&machine, 0).await;
    let name = format!("127.0.0.1:{}", rig.broker.port);
    rig.broker.kill().await;
    let told = async {
        loop {
            let brokers = it.get("/api/v1/brokers").await.json();
            let [first, second] = [&brokers["brokers"][0], &brokers["brokers"][1]];
            assert_eq!(
                (&first["broker"], &second["is_up"]),
                (&name.clone().into(), &true.into())
            );
            if first["is_up"] == false {
                assert_eq!(first["code"], "B-102");
                assert!(first["since"].is_string() && second["code"].is_null());
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, told).await.expect("the broker is down");
    let page = it.get("/console/live").await.text;
    let said = format!("Pusat terputus dari broker {name} sejak");
    assert!(page.contains(&said) && page.contains("B-102"), "{page}");
    assert!(!page.contains("Keadaan mesin di bawah tidak diketahui"));
    let metrics = it.get("/metrics").await.text;
    assert!(
        metrics.contains(&format!("loket_broker_up{{broker=\"{name}\"}} 0")),
        "{metrics}"
    );
    let document = fixture("kk-sample-bb.pdf");
    let job = job_id(&operator.bring(&document, &order(ID), None).await);
    assert_eq!(here.order(&machine).await.job_id, job);
}
