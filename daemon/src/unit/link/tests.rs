//! What a machine makes of each message, with real spool, desk and journal, and no broker.

mod backlog;
mod brokers;
mod cancels;
mod log;
mod presence;
mod trust;
mod window;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use loket_domain::print::Desk;
use loket_domain::roam::Roam;
use loket_journal::Journal;
use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_verify::Policy;
use loket_wire::enrolment::{Endpoint, InstallBundle};
use loket_wire::presence::{Ack, encode};
use loket_wire::sealed::Secrets;
use loket_wire::sign::SigningKey;
use loket_wire::topic::Channel;
use loket_wire::{
    Blob, Cancel, Class, Command, Epoch, JobId, JobState, MachineId, MachineState, PrintOrder,
    Randomness, Reason, Release, Report, Service, Sha256Digest, Timestamp, frame,
};
use ring::signature::Ed25519KeyPair;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::log::Log;
use super::suspects::Suspects;
use super::{Cursor, LinkUnit, META_COMMAND_SEQ, Republish};
use crate::clock::Clock;
use crate::document::Documents;
use crate::identity::{Identity, IdentityDir};
use crate::key_seal::KeySeal;
use crate::standstill::Standstill;
use crate::unit::print::{DeskError, Hands, PrintUnit};

const DAY: Timestamp = Timestamp::from_unix_ms(1_793_491_200_000);
const EPOCH: Epoch = Epoch::from_bytes([7; 16]);

struct Fixed(u8);

impl Randomness for Fixed {
    fn fill(&mut self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

/// A machine without its link: messages are handed to it by the test.
struct Bench {
    unit: LinkUnit,
    cursor: Cursor,
    central: SigningKey,
    desk: JoinSet<Result<(), DeskError>>,
    _dir: tempfile::TempDir,
}

fn signing_key(seed: u8) -> SigningKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    SigningKey::Ed25519(Box::new(pair))
}

fn job_no(no: u8) -> JobId {
    JobId::from_parts(1_793_491_200_000, [no; 10])
}

/// An enrolled machine's identity, of which only the keys count here.
fn identity(dir: &Path, machine: &MachineId, central: &SigningKey) -> Identity {
    let identity_dir = IdentityDir::under(dir, KeySeal::default());
    identity_dir.request(machine).unwrap();
    let bundle = InstallBundle {
        version: 1,
        machine: machine.clone(),
        office: "kec-1".parse().unwrap(),
        certificate_pem: String::new(),
        authority_pem: String::new(),
        brokers: Vec::new(),
        documents: Endpoint {
            host: "127.0.0.1".to_owned(),
            port: 1,
        },
        central_key: central.verifying_key(),
    };
    let json = serde_json::to_vec(&bundle).unwrap();
    std::fs::write(dir.join("identity/install.json"), json).unwrap();
    identity_dir.load().unwrap()
}

impl Bench {
    async fn new() -> Self {
        Self::over(
            Journal::in_memory(*EPOCH.as_bytes()).unwrap(),
            16 * 1024 * 1024,
        )
        .await
    }

    async fn over(journal: Journal, spool_quota_bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let machine: MachineId = "desa-contoh-1".parse().unwrap();
        let central = signing_key(3);
        let identity = Arc::new(identity(dir.path(), &machine, &central));
        let spool = Spool::open(&dir.path().join("spool"), spool_quota_bytes).unwrap();
        std::fs::create_dir(dir.path().join("trust")).unwrap();
        let folder = TrustFolder::open(dir.path().join("trust")).unwrap();
        let trust = crate::trust::TrustStore::of_folder(folder);
        let documents = Documents::new(spool, identity.sealing.clone(), trust, Policy::default());
        let clock = Clock::new(None);
        let (print, desk) = PrintUnit::new(Desk::new(Vec::new()), journal.clone(), clock.clone());
        let hands = Arc::new(Hands {
            documents: Arc::clone(&documents),
            printers: std::collections::BTreeMap::new(),
            source: None,
            rasters: crate::raster::Rasters::new(loket_inspection::Inspector::beside_this_program()),
            records: None,
            desk: desk.clone(),
            plugs: crate::unit::hotplug::Plugs::default(),
        });
        let mut running = JoinSet::new();
        running.spawn(print.run(hands, CancellationToken::new()));
        let suspects = Suspects::load(&journal).await.unwrap();
        let unit = LinkUnit {
            machine: machine.clone(),
            state: MachineState {
                online: true,
                boot_id: "boot".to_owned(),
                session_seq: 1,
                epoch: EPOCH,
                software: "0".to_owned(),
                config_hash: "0".to_owned(),
                key_id: identity.sealing.public().unwrap().key_id(),
            },
            identity,
            journal,
            desk,
            documents,
            clock,
            republish_after: Duration::from_secs(60),
            standstill: Standstill::default(),
            roam: Roam::new(1, Duration::from_secs(60)),
            trust_notices: watch::Sender::new(None),
        };
        let mut cursor = Cursor::new(unit.republish_after, suspects);
        cursor.is_up = true;
        Self {
            unit,
            cursor,
            central,
            desk: running,
            _dir: dir,
        }
    }

    /// Another link unit of the same machine, to be run.
    fn unit_alike(&self) -> LinkUnit {
        LinkUnit {
            machine: self.unit.machine.clone(),
            identity: Arc::clone(&self.unit.identity),
            state: self.unit.state.clone(),
            journal: self.unit.journal.clone(),
            desk: self.unit.desk.clone(),
            documents: Arc::clone(&self.unit.documents),
            clock: self.unit.clock.clone(),
            republish_after: Duration::from_secs(3_600),
            standstill: Standstill::default(),
            roam: self.unit.roam.clone(),
            trust_notices: watch::Sender::new(None),
        }
    }

    /// An order of job `no` sealed to this machine; another `salt` is another envelope.
    fn order(&self, no: u8, salt: u8) -> PrintOrder {
        let mut random = Fixed(salt);
        let document = b"not judged here";
        let secrets = Secrets::new("KK-SARI".to_owned(), None, document, 1, &mut random);
        let blob = secrets.seal_document(job_no(no), document).unwrap();
        let envelope = loket_wire::sealed::Envelope {
            suite: loket_wire::sealed::Suite::X25519,
            key_id: self.unit.state.key_id,
            enc: String::new(),
            ct: String::new(),
        };
        let mut order = PrintOrder {
            job_id: job_no(no),
            seq: u64::from(no),
            machine: self.unit.machine.clone(),
            epoch: EPOCH,
            issued_at: DAY,
            not_after: DAY.saturating_add(Duration::from_secs(7 * 86_400)),
            verified_at: DAY,
            reference: "KK-1".parse().unwrap(),
            service: Service::new("kk").unwrap(),
            class: Class::Controlled,
            release: Release::Officer,
            envelope,
            blob: Blob {
                sha256: Sha256Digest::of(&blob),
                size_bytes: u64::try_from(blob.len()).unwrap(),
            },
        };
        let public = self.unit.identity.sealing.public().unwrap();
        order.envelope = public
            .seal(&order.binding(), &secrets, &mut random)
            .unwrap();
        order
    }

    async fn hear(&mut self, channel: Channel, body: &[u8]) -> bool {
        let topic = channel.topic(&self.unit.machine);
        let payload = frame::seal(&topic, body, &self.central).unwrap();
        let heard = self.unit.on_message(&topic, &payload, &mut self.cursor);
        heard.await.unwrap()
    }

    async fn command(&mut self, command: Command) -> bool {
        let body = command.encode().unwrap();
        let kind = command.kind().to_owned();
        self.hear(Channel::Command(kind), &body).await
    }

    async fn print(&mut self, order: &PrintOrder) -> bool {
        self.command(Command::Print(Box::new(order.clone()))).await
    }

    fn key(&self, no: u8) -> Option<Vec<u8>> {
        let key = self.unit.documents.spool.key(&job_no(no).to_string());
        key.ok()
    }

    async fn state(&self, no: u8) -> Option<(JobState, Option<Reason>)> {
        let job = self.unit.desk.job(job_no(no)).await.unwrap();
        super::cancels::standing(job.as_ref())
    }

    /// Codes of what was set aside.
    async fn codes(&self) -> Vec<String> {
        let rows = self.unit.journal.outbox_after(0, 256).await.unwrap();
        let reports = rows
            .iter()
            .filter_map(|row| serde_json::from_slice::<Report>(&row.bytes).ok());
        reports
            .filter_map(|report| match report {
                Report::Quarantine(report) => Some(report.code),
                Report::Job(_) | Report::Device(_) | Report::Key(_) => None,
            })
            .collect()
    }

    /// Central asks to call a job off.
    async fn cancel(&mut self, no: u8, seq: u64) {
        let cancel = Cancel {
            job_id: job_no(no),
            seq,
            machine: self.unit.machine.clone(),
            issued_at: DAY,
        };
        assert!(self.command(Command::Cancel(cancel)).await);
    }

    /// Ends a job and waits until its document is destroyed.
    async fn close(&mut self, no: u8) {
        self.cancel(no, 99).await;
        let closed = async {
            loop {
                let job = self.unit.desk.job(job_no(no)).await.unwrap();
                if job.is_some_and(|job| job.is_closed) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(presence::DEADLINE, closed).await;
        waited.expect("the job is closed");
    }
}

#[tokio::test]
async fn an_order_is_acknowledged_with_its_key_its_journal_row_and_its_number_on_disk() {
    let mut bench = Bench::new().await;
    let order = bench.order(1, 1);
    assert!(bench.print(&order).await);
    assert!(bench.key(1).is_some());
    assert_eq!(bench.state(1).await, Some((JobState::Fetching, None)));
    let seq = bench.unit.journal.meta(META_COMMAND_SEQ).await.unwrap();
    assert_eq!(seq, Some(1_u64.to_le_bytes().to_vec()));
    assert!(bench.unit.clock.now().trusted);
}

#[tokio::test]
async fn a_redelivery_after_the_end_does_not_bring_back_the_key() {
    let mut bench = Bench::new().await;
    let order = bench.order(1, 1);
    bench.print(&order).await;
    bench.close(1).await;
    assert!(bench.key(1).is_none());
    assert!(bench.print(&order).await);
    assert!(bench.key(1).is_none(), "the document's key is destroyed");
    assert!(bench.print(&bench.order(1, 2)).await);
    assert!(bench.key(1).is_none(), "nor does a replay bring one");
    assert_eq!(bench.codes().await, ["M-105"]);
}

#[tokio::test]
async fn a_replay_changes_no_key_of_a_job_that_is_held() {
    let mut bench = Bench::new().await;
    let order = bench.order(1, 1);
    bench.print(&order).await;
    let key = bench.key(1);
    assert!(bench.print(&bench.order(1, 2)).await);
    assert_eq!(bench.key(1), key);
    assert_eq!(bench.codes().await, ["M-105"]);
}

#[tokio::test]
async fn a_key_left_by_an_order_that_came_to_nothing_is_replaced() {
    let mut bench = Bench::new().await;
    let name = job_no(1).to_string();
    let spool = bench.unit.documents.spool.clone();
    spool.put_key(&name, b"of an order sealed earlier").unwrap();
    assert!(bench.print(&bench.order(1, 2)).await);
    assert_ne!(bench.key(1).unwrap(), b"of an order sealed earlier");
}

#[tokio::test]
async fn what_is_not_for_this_machine_is_set_aside_with_its_code() {
    let mut bench = Bench::new().await;
    let good = bench.order(1, 1);
    let mut other = good.clone();
    other.machine = "desa-contoh-2".parse().unwrap();
    assert!(bench.print(&other).await);
    let mut other = good.clone();
    other.epoch = Epoch::from_bytes([8; 16]);
    assert!(bench.print(&other).await);
    let unknown = Channel::Command("dance".to_owned());
    assert!(bench.hear(unknown, b"{}").await);
    let broken = Channel::Command("print".to_owned());
    assert!(bench.hear(broken, b"{}").await);
    bench.central = signing_key(4);
    assert!(bench.print(&good).await);
    let codes = ["M-103", "M-104", "M-101", "M-102", "W-104"];
    assert_eq!(bench.codes().await, codes);
    assert_eq!(bench.state(1).await, None);
    assert!(bench.key(1).is_none());
}

#[tokio::test]
async fn an_altered_envelope_and_one_for_another_key_are_rejected_with_their_reason() {
    let mut bench = Bench::new().await;
    let mut order = bench.order(1, 1);
    order.not_after = order.not_after.saturating_add(Duration::from_secs(1));
    assert!(bench.print(&order).await);
    let rejected = Some((JobState::Rejected, Some(Reason::Altered)));
    assert_eq!(bench.state(1).await, rejected);
    let mut order = bench.order(2, 1);
    order.envelope.key_id = loket_wire::KeyId::of(b"another key");
    assert!(bench.print(&order).await);
    let rejected = (JobState::Rejected, Some(Reason::KeyUnknown));
    assert_eq!(bench.state(2).await, Some(rejected));
    assert!(bench.key(1).is_none() && bench.key(2).is_none());
}

#[tokio::test]
async fn an_order_that_finds_no_room_in_the_spool_is_rejected_and_central_knows_why() {
    let journal = Journal::in_memory(*EPOCH.as_bytes()).unwrap();
    let mut bench = Bench::over(journal, 16).await;
    let order = bench.order(1, 1);
    assert!(bench.print(&order).await);
    let rejected = (JobState::Rejected, Some(Reason::SpoolFull));
    assert_eq!(bench.state(1).await, Some(rejected));
}

#[tokio::test]
async fn an_order_that_took_the_program_down_three_times_is_set_aside() {
    let mut bench = Bench::new().await;
    let order = bench.order(1, 1);
    let name = format!("print/{}", order.job_id);
    for _crash in 0..3 {
        // What begins and never ends is what the next start finds.
        let begun = bench.cursor.suspects.begin(&bench.unit.journal, &name);
        assert!(begun.await.unwrap());
        bench.cursor.suspects = Suspects::load(&bench.unit.journal).await.unwrap();
    }
    // Central signs each offer anew: the order is the same all the same.
    let mut again = order.clone();
    again.issued_at = DAY.saturating_add(Duration::from_secs(60));
    assert!(bench.print(&again).await);
    assert_eq!(bench.codes().await, ["M-106"]);
    assert_eq!(bench.state(1).await, None);
    let rows = bench.unit.journal.outbox_after(0, 1).await.unwrap();
    let Ok(Report::Job(told)) = serde_json::from_slice(&rows[0].bytes) else {
        panic!("central is told of the job");
    };
    assert_eq!(
        (told.state, told.reason),
        (JobState::Rejected, Some(Reason::Poison))
    );
    // Others go on.
    assert!(bench.print(&bench.order(2, 1)).await);
    assert!(bench.state(2).await.is_some());
}

#[tokio::test]
async fn a_command_that_was_read_is_counted_no_more() {
    let mut bench = Bench::new().await;
    for _delivery in 0..5 {
        let order = bench.order(1, 1);
        assert!(bench.print(&order).await);
        bench.cursor.suspects = Suspects::load(&bench.unit.journal).await.unwrap();
    }
    assert!(bench.codes().await.is_empty());
}

#[tokio::test]
async fn an_order_that_meets_a_full_journal_stays_with_the_broker_and_is_taken_later() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let (journal, _opened) = Journal::open_bounded(&path, *EPOCH.as_bytes(), 512 * 1024).unwrap();
    let mut bench = Bench::over(journal.clone(), 16 * 1024 * 1024).await;
    let mut last = 0;
    for size_bytes in [30_000, 3_000, 300, 30] {
        let report = loket_journal::NewReport {
            kind: "filler".to_owned(),
            bytes: vec![b'x'; size_bytes],
        };
        while let Ok(appended) = journal
            .append(loket_journal::Batch {
                reports: vec![report.clone()],
                ..loket_journal::Batch::default()
            })
            .await
        {
            last = appended.last_report_seq.unwrap();
        }
    }
    let order = bench.order(1, 1);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let listening = tracing::subscriber::set_default(subscriber.finish());
    for _try in 0..5 {
        assert!(!bench.print(&order).await, "not acknowledged");
    }
    assert_eq!(
        log.count("stays with it"),
        1,
        "told once, not with each try"
    );
    assert_eq!(bench.state(1).await, None);
    journal.settle(last).await.unwrap();
    for _delivery in 0..3 {
        assert!(bench.print(&order).await);
    }
    assert_eq!(log.count("are taken again"), 1, "and once that it is over");
    // What is set aside ends a standstill as well as what is kept.
    bench.unit.stand_still("a fault of the test");
    let unknown = "dance".to_owned();
    assert!(bench.hear(Channel::Command(unknown), b"{}").await);
    assert_eq!(log.count("are taken again"), 2);
    drop(listening);
    assert!(bench.state(1).await.is_some());
}

fn acked(epoch: Epoch, seq: u64) -> Vec<u8> {
    let at_ms = DAY.unix_ms();
    format!("{{\"epoch\":\"{epoch}\",\"seq\":{seq},\"at_ms\":{at_ms}}}").into_bytes()
}

#[tokio::test]
async fn reports_die_by_an_acknowledgement_of_this_journal_alone() {
    let mut bench = Bench::new().await;
    let order = bench.order(1, 1);
    bench.print(&order).await;
    let held = bench.unit.journal.outbox_span().await.unwrap().count;
    assert!(held > 0);
    for (epoch, seq) in [(Epoch::from_bytes([8; 16]), held), (EPOCH, held + 100)] {
        assert!(bench.hear(Channel::Ack, &acked(epoch, seq)).await);
        let span = bench.unit.journal.outbox_span().await.unwrap();
        assert_eq!(span.count, held);
    }
    assert!(bench.hear(Channel::Ack, &acked(EPOCH, held)).await);
    assert_eq!(bench.unit.journal.outbox_span().await.unwrap().count, 0);
}

#[tokio::test]
async fn a_message_after_the_desk_has_ended_waits_for_the_next_start() {
    let mut bench = Bench::new().await;
    bench.desk.shutdown().await;
    assert!(!bench.print(&bench.order(1, 1)).await);
}
