//! A machine that is nothing but keys and a link.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use loket_link::{
    AckToken, Backoff, BrokerAddress, FetchError, FetchTarget, Inbound, Inbox, LinkConfig,
    LinkHandle, Publication, Qos, fetch_from,
};
use loket_wire::enrolment::MachineRecord;
use loket_wire::sealed::SealingKey;
use loket_wire::sign::{SigningKey, VerifyingKey};
use loket_wire::topic::{Channel, for_machine};
use loket_wire::{
    Ack, Answers, Command, Epoch, Event, JobId, JobReport, JobState, Judged, MachineId,
    MachineState, PrintOrder, Reason, Report, Sync as MachineSync, Timestamp, frame, presence,
};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::rig::{Authority, DEADLINE, OFFICE, Pair};

/// A machine: keys and a place on the broker.
pub(crate) struct Machine {
    pub(crate) id: MachineId,
    pub(crate) signing: SigningKey,
    pub(crate) sealing: SealingKey,
    pub(crate) epoch: Epoch,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) central_key: VerifyingKey,
    pub(crate) broker_port: u16,
    pub(crate) documents: SocketAddr,
}

impl Machine {
    /// Connects, says that it is there and what it holds, and waits until central has that.
    pub(crate) async fn connect(self) -> Linked {
        let mut linked = self.link().await;
        linked.say_state(true);
        linked.say_sync(Vec::new());
        assert_eq!(linked.ack().await.seq, 0);
        linked
    }

    /// Connects to the broker and says nothing yet.
    pub(crate) async fn link(self) -> Linked {
        let broker = BrokerAddress {
            host: "127.0.0.1".to_owned(),
            port: self.broker_port,
        };
        let (handle, inbox, task) = loket_link::open(LinkConfig {
            tls: Some(Arc::clone(&self.tls)),
            subscriptions: for_machine(&self.id),
            backoff: Backoff {
                min: Duration::from_millis(20),
                max: Duration::from_millis(100),
            },
            will: Some(self.state(1, false).into()),
            ..LinkConfig::new(self.id.to_string(), vec![broker])
        });
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(task.run(stop.clone()));
        let mut linked = Linked {
            machine: self,
            handle,
            inbox,
            running,
            stop: stop.drop_guard(),
            seq: 0,
            session_seq: 1,
            hello: None,
            open: Vec::new(),
            holds_answers: false,
            trust_serial: None,
        };
        linked.until_up().await;
        linked
    }

    /// Its presence as a publication; with `online: false` also its will.
    pub(crate) fn state(&self, session_seq: u64, online: bool) -> Publication {
        let state = MachineState {
            online,
            boot_id: "boot".to_owned(),
            session_seq,
            epoch: self.epoch,
            software: "0.1.0".to_owned(),
            config_hash: "0".repeat(16),
            key_id: self.sealing.public().unwrap().key_id(),
        };
        let topic = Channel::State.topic(&self.id);
        let body = presence::encode(&state).unwrap();
        let payload = frame::seal(&topic, &body, &self.signing).unwrap();
        Publication {
            topic,
            payload,
            qos: Qos::AtLeastOnce,
            retain: true,
            expiry: None,
        }
    }

    /// Its record as central stores it.
    pub(crate) fn record(&self) -> MachineRecord {
        let public = self.sealing.public().unwrap();
        MachineRecord {
            version: 1,
            machine: self.id.clone(),
            office: OFFICE.parse().unwrap(),
            certificate_serial: "0b".to_owned(),
            report_key: self.signing.verifying_key(),
            sealing_public_key: public.to_string(),
            key_id: public.key_id(),
            enrolled_at: Timestamp::from_unix_ms(1_790_000_000_000),
        }
    }

    /// The same machine under another certificate.
    pub(crate) fn with_certificate(&self, authority: &Authority, pair: &Pair) -> FetchTarget {
        FetchTarget {
            tls: Some(authority.client_tls(pair)),
            ..self.target()
        }
    }

    fn target(&self) -> FetchTarget {
        FetchTarget {
            host: "127.0.0.1".to_owned(),
            port: self.documents.port(),
            tls: Some(Arc::clone(&self.tls)),
            server_name: "127.0.0.1".to_owned(),
        }
    }

    /// Fetches the sealed document of `job` from byte `from` on.
    pub(crate) async fn fetch(&self, job: JobId, from: u64) -> Result<Vec<u8>, FetchError> {
        fetch(&self.target(), job, from).await
    }

    /// Fetches the trust bundle with this serial from byte `from` on.
    pub(crate) async fn fetch_trust(&self, serial: u64, from: u64) -> Result<Vec<u8>, FetchError> {
        let path = format!("/machine/v1/trust/{serial}");
        fetch_path(&self.target(), &path, from).await
    }
}

/// Fetches a sealed document as whoever `target` makes of us.
pub(crate) async fn fetch(
    target: &FetchTarget,
    job: JobId,
    from: u64,
) -> Result<Vec<u8>, FetchError> {
    fetch_path(target, &format!("/machine/v1/blobs/{job}"), from).await
}

async fn fetch_path(target: &FetchTarget, path: &str, from: u64) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    let mut keep = |_at, chunk: Bytes| {
        bytes.extend_from_slice(&chunk);
        Ok(())
    };
    let fetching = fetch_from(target, path, from, 9 * 1024 * 1024, &mut keep);
    timeout(DEADLINE, fetching).await.expect("central serves")?;
    Ok(bytes)
}

/// A machine with its link.
pub(crate) struct Linked {
    pub(crate) machine: Machine,
    pub(crate) handle: LinkHandle,
    inbox: Inbox,
    running: JoinSet<Result<(), loket_link::LinkError>>,
    stop: DropGuard,
    pub(crate) seq: u64,
    pub(crate) session_seq: u64,
    /// What central asked for last.
    pub(crate) hello: Option<loket_wire::Hello>,
    /// The trust bundle that it says it holds.
    pub(crate) trust_serial: Option<u64>,
    /// What it holds when central asks.
    pub(crate) open: Vec<loket_wire::OpenJob>,
    /// Whether it takes central's questions and leaves them for [`Linked::answer`].
    pub(crate) holds_answers: bool,
}

impl Linked {
    async fn next(&mut self) -> Inbound {
        timeout(DEADLINE, self.inbox.next())
            .await
            .expect("the link speaks")
            .expect("it lives")
    }

    async fn until_up(&mut self) {
        loop {
            if let Inbound::Up { .. } = self.next().await {
                return;
            }
        }
    }

    /// The next message on a channel that `wanted` takes; others are acknowledged and passed over.
    async fn message(&mut self, wanted: impl Fn(&Channel) -> bool) -> (String, Vec<u8>) {
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
            self.taken(ack);
            if Channel::parse(&topic).is_some_and(|(_machine, channel)| wanted(&channel)) {
                let body = frame::open(&topic, &payload, &self.machine.central_key)
                    .expect("central signed it");
                return (topic, body);
            }
        }
    }

    /// Waits until the broker has all that was said, and leaves as a machine does that is switched off in order: no will
    /// follows.
    pub(crate) async fn leave(mut self) {
        // Messages of one connection come in order, so the broker had the others before this one.
        let echo = Channel::Ack.topic(&self.machine.id);
        self.publish_raw(echo.clone(), b"echo".to_vec());
        loop {
            if let Inbound::Message { topic, ack, .. } = self.next().await {
                self.taken(ack);
                if topic == echo {
                    break;
                }
            }
        }
        self.stop.disarm().cancel();
        let ended = timeout(DEADLINE, self.running.join_next()).await;
        assert!(ended.is_ok(), "the link ends");
    }

    fn taken(&self, ack: AckToken) {
        self.handle.ack(ack);
    }

    pub(crate) async fn ack(&mut self) -> Ack {
        let (_topic, body) = self.message(|channel| *channel == Channel::Ack).await;
        let ack: Ack = presence::decode(&body).unwrap();
        assert_eq!(ack.epoch, self.machine.epoch);
        if ack.hello.is_some() && ack.hello != self.hello && !self.holds_answers {
            self.answer(&ack);
        }
        ack
    }

    /// Answers the question of an acknowledgement.
    pub(crate) fn answer(&mut self, ack: &Ack) {
        self.hello = ack.hello;
        self.say_sync(self.open.clone());
    }

    pub(crate) async fn until_acked(&mut self, seq: u64) {
        while self.ack().await.seq < seq {}
    }

    async fn command(&mut self, kind: &str) -> Command {
        let channel = Channel::Command(kind.to_owned());
        let (_topic, body) = self.message(|found| *found == channel).await;
        Command::decode(kind, &body).unwrap()
    }

    /// The next announcement of a trust bundle.
    pub(crate) async fn trust_notice(&mut self) -> loket_wire::TrustNotice {
        let Command::Trust(notice) = self.command("trust").await else {
            panic!("no announcement")
        };
        notice
    }

    /// Whether an order comes before the acknowledgement of this report.
    pub(crate) async fn order_before_ack(&mut self, seq: u64) -> bool {
        loop {
            let either = |channel: &Channel| matches!(channel, Channel::Ack | Channel::Command(_));
            let (topic, body) = self.message(either).await;
            if topic != Channel::Ack.topic(&self.machine.id) {
                return true;
            }
            let ack: Ack = presence::decode(&body).unwrap();
            if ack.seq == seq {
                return false;
            }
        }
    }

    pub(crate) async fn order(&mut self) -> PrintOrder {
        let Command::Print(order) = self.command("print").await else {
            panic!("no order")
        };
        *order
    }

    pub(crate) async fn cancel(&mut self) -> JobId {
        let Command::Cancel(cancel) = self.command("cancel").await else {
            panic!("no cancel")
        };
        cancel.job_id
    }

    pub(crate) fn publish(&self, channel: &Channel, body: &[u8]) {
        let topic = channel.topic(&self.machine.id);
        let payload = frame::seal(&topic, body, &self.machine.signing).unwrap();
        self.publish_raw(topic, payload);
    }

    pub(crate) fn publish_raw(&self, topic: String, payload: Vec<u8>) {
        self.handle
            .publish(Publication {
                topic,
                payload,
                qos: Qos::AtLeastOnce,
                retain: false,
                expiry: None,
            })
            .unwrap();
    }

    pub(crate) fn say_state(&self, online: bool) {
        self.handle
            .publish(self.machine.state(self.session_seq, online))
            .unwrap();
    }

    /// Waits for the next connection and says again what the machine holds, as every machine does.
    pub(crate) async fn reconnected(&mut self) {
        self.until_up().await;
        self.session_seq += 1;
        self.say_state(true);
        self.say_sync(Vec::new());
    }

    pub(crate) fn say_sync(&self, open_jobs: Vec<loket_wire::OpenJob>) {
        let sync = MachineSync {
            epoch: self.machine.epoch,
            session_seq: self.session_seq,
            last_command_seq: 0,
            first_event_seq: None,
            last_event_seq: self.seq,
            open_jobs,
            is_complete: true,
            hello: self.hello,
            trust_serial: self.trust_serial,
        };
        self.publish(&Channel::Sync, &presence::encode(&sync).unwrap());
    }

    /// Reports a state of a job under the next number.
    pub(crate) fn report(&mut self, job: JobId, state: JobState, reason: Option<Reason>) -> u64 {
        self.say(Report::Job(JobReport {
            job_id: job,
            state,
            reason,
            attempt: None,
            sheet_count: None,
            actor: None,
            at: Timestamp::from_unix_ms(1_790_000_000_000),
            clock_trusted: false,
            local: None,
        }))
    }

    pub(crate) fn say(&mut self, report: Report) -> u64 {
        self.seq += 1;
        let channel = Channel::Event(report.kind().to_owned());
        let event = Event {
            epoch: self.machine.epoch,
            seq: self.seq,
            report,
        };
        self.publish(&channel, &event.encode().unwrap());
        self.seq
    }
}

/// What people had checked at a machine.
pub(crate) fn judged() -> Judged {
    Judged {
        kiosk: Answers {
            valid: 30,
            invalid: 2,
            ..Answers::default()
        },
        station: Answers {
            indeterminate: 4,
            paper: 5,
            not_judged: 1,
            ..Answers::default()
        },
        killed: 1,
    }
}
