//! One machine on a bench.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket_daemon::clock::{Clock, Word};
use loket_daemon::device::Printer;
use loket_daemon::document::{Documents, KeyFile};
use loket_daemon::raster::Rasters;
use loket_daemon::unit::print::{DeskError, DeskHandle, Hands, JobView, PrintUnit, recover};
use loket_domain::print::{Actor, Command, Facts, Intake, Origin};
use loket_inspection::Inspector;
use loket_journal::{
    Appended, Batch, CloseStream, Journal, JournalError, NewEvent, NewReport, OutboxRow,
    StreamState,
};
use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_verify::{Policy, Revocation};
use loket_wire::sealed::{Binding, SealingKey, Secrets};
use loket_wire::{
    Blob, Class, Epoch, JobId, JobReport, JobState, Randomness, Reason, Release, Report, Service,
    Sha256Digest, Timestamp,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::printer::FakePrinter;

/// A hung test ends after this; nothing is timed by it.
const DEADLINE: Duration = Duration::from_secs(20);

/// 2026-11-01: the fixtures are valid.
pub(crate) const DAY: Timestamp = Timestamp::from_unix_ms(1_793_491_200_000);

pub(crate) const EPOCH: Epoch = Epoch::from_bytes([7; 16]);

/// Bytes that repeat from run to run.
pub(crate) struct Seeded(u64);

impl Randomness for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

pub(crate) struct World {
    pub(crate) journal: Journal,
    pub(crate) documents: Arc<Documents>,
    pub(crate) clock: Clock,
    pub(crate) printers: BTreeMap<String, Arc<FakePrinter>>,
    pub(crate) lanes: Vec<String>,
    /// Stands in the lane `a4` instead of the scripted one.
    pub(crate) real: Option<Arc<dyn Printer>>,
    /// Draws for printers without PDF.
    pub(crate) inspector: Inspector,
    /// The machine's own trust folder.
    pub(crate) trust_dir: PathBuf,
    sealing: SealingKey,
    unit: Option<Unit>,
    _dir: tempfile::TempDir,
}

struct Unit {
    desk: DeskHandle,
    stop: CancellationToken,
    task: JoinSet<Result<(), DeskError>>,
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    std::fs::read(path.join(name)).expect("a fixture")
}

/// The sample family card.
pub(crate) fn sample() -> Vec<u8> {
    fixture("kk-sample-bt.pdf")
}

pub(crate) fn job_no(no: u8) -> JobId {
    JobId::from_parts(1_793_491_200_000, [no; 10])
}

pub(crate) fn officer() -> Actor {
    Actor::Officer("Sari".to_owned())
}

impl World {
    /// A machine with one printer, `a4`, its desk not yet running.
    pub(crate) fn new() -> Self {
        Self::over(Journal::in_memory(*EPOCH.as_bytes()).expect("a journal"))
    }

    pub(crate) fn over(journal: Journal) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(&dir.path().join("spool"), 64 * 1024 * 1024).expect("a spool");
        let sealing = SealingKey::generate(&mut Seeded(1));
        let trust_dir = dir.path().join("trust");
        std::fs::create_dir(&trust_dir).expect("a folder");
        for name in ["root.pem", "issuing.pem", "root.crl.pem", "issuing.crl"] {
            let bytes = fixture(&format!("trust/{name}"));
            std::fs::write(trust_dir.join(name), bytes).expect("a trust file");
        }
        let trust = TrustFolder::open(trust_dir.clone()).expect("trust");
        let trust = loket_daemon::trust::TrustStore::of_folder(trust);
        let policy = Policy {
            revocation: Revocation::IfKnown,
            ..Policy::default()
        };
        let documents = Documents::new(spool, sealing.clone(), trust, policy);
        let clock = Clock::new(None);
        clock.hear(Word::Command(1), DAY);
        Self {
            journal,
            documents,
            clock,
            printers: BTreeMap::from([("a4".to_owned(), Arc::new(FakePrinter::new()))]),
            lanes: vec!["a4".to_owned()],
            real: None,
            inspector: Inspector::at(Path::new("/nonexistent/loket-inspector")),
            sealing,
            trust_dir,
            unit: None,
            _dir: dir,
        }
    }

    pub(crate) fn printer(&self) -> Arc<FakePrinter> {
        Arc::clone(&self.printers["a4"])
    }

    /// Recovers the desk and lets it run.
    pub(crate) async fn start(&mut self) {
        let desk = recover(&self.journal, self.lanes.clone())
            .await
            .expect("a recovered desk");
        let (unit, desk) = PrintUnit::new(desk, self.journal.clone(), self.clock.clone());
        let mut printers: BTreeMap<String, Arc<dyn Printer>> = BTreeMap::new();
        for (name, printer) in &self.printers {
            let printer: Arc<FakePrinter> = Arc::clone(printer);
            printers.insert(name.clone(), printer);
        }
        if let Some(real) = &self.real {
            printers.insert("a4".to_owned(), Arc::clone(real));
        }
        let hands = Arc::new(Hands {
            documents: Arc::clone(&self.documents),
            printers,
            source: None,
            rasters: Rasters::new(self.inspector.clone()),
            records: None,
            desk: desk.clone(),
            plugs: loket_daemon::unit::hotplug::Plugs::default(),
        });
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(unit.run(hands, stop.clone()));
        self.unit = Some(Unit { desk, stop, task });
    }

    pub(crate) fn desk(&self) -> DeskHandle {
        self.unit.as_ref().expect("a running desk").desk.clone()
    }

    /// Drops the unit where it stands.
    pub(crate) async fn crash(&mut self) {
        let mut unit = self.unit.take().expect("a running desk");
        unit.task.shutdown().await;
    }

    /// Stops the unit in order.
    pub(crate) async fn stop(&mut self) -> Result<(), DeskError> {
        let unit = self.unit.take().expect("a running desk");
        unit.stop.cancel();
        ended(unit.task).await
    }

    /// Waits until the unit ends by itself.
    pub(crate) async fn ends(&mut self) -> Result<(), DeskError> {
        ended(self.unit.take().expect("a running desk").task).await
    }

    /// Puts an order's key and sealed document into the spool, as a link that fetched it has, and gives its facts.
    pub(crate) fn spooled(&self, no: u8, release: Release) -> Facts {
        self.spooled_document(no, release, &sample())
    }

    pub(crate) fn spooled_document(&self, no: u8, release: Release, document: &[u8]) -> Facts {
        let (facts, blob) = self.order(no, release, document);
        let name = facts.job_id.to_string();
        self.documents
            .spool
            .admit_bytes(&name, &blob)
            .expect("a spooled document");
        facts
    }

    /// Puts an order's key into the spool; gives its facts and the sealed document that is still to come.
    pub(crate) fn order(&self, no: u8, release: Release, document: &[u8]) -> (Facts, Vec<u8>) {
        let job = job_no(no);
        let mut random = Seeded(u64::from(no));
        let secrets = Secrets::new("KK-SARI".to_owned(), None, document, PAGES, &mut random);
        let not_after = DAY.saturating_add(Duration::from_secs(7 * 86_400));
        let binding = Binding {
            recipient: "desa-contoh-1",
            job,
            epoch: EPOCH,
            not_after,
        };
        let public = self.sealing.public().expect("a public key");
        let envelope = public
            .seal(&binding, &secrets, &mut random)
            .expect("a sealed envelope");
        let blob = secrets
            .seal_document(job, document)
            .expect("a sealed document");
        let facts = Facts {
            job_id: job,
            origin: Origin::Central {
                command_seq: u64::from(no),
                epoch: EPOCH,
                envelope: envelope.digest(),
                blob: Blob {
                    sha256: Sha256Digest::of(&blob),
                    size_bytes: u64::try_from(blob.len()).expect("a size"),
                },
            },
            reference: format!("KK-{no}").parse().expect("a reference"),
            service: Service::new("kk").expect("a service"),
            class: Class::Controlled,
            release,
            not_after,
            verified_at: DAY,
            printer: None,
            reprint: None,
        };
        let file = KeyFile {
            v: 1,
            recipient: "desa-contoh-1".to_owned(),
            job_id: job,
            epoch: EPOCH,
            not_after,
            envelope,
        };
        let bytes = serde_json::to_vec(&file).expect("a key file");
        self.documents
            .spool
            .put_key(&job.to_string(), &bytes)
            .expect("a spooled key");
        (facts, blob)
    }

    pub(crate) async fn accept(&self, facts: &Facts) -> Result<bool, DeskError> {
        let intake = Intake::Good(Box::new(facts.clone()));
        self.desk().submit(Command::Accept(intake)).await
    }

    pub(crate) async fn job(&self, job: JobId) -> JobView {
        let seen = self.desk().job(job).await;
        seen.expect("a desk that answers").expect("a known job")
    }

    /// Waits until the job stands there.
    pub(crate) async fn until_state(&self, job: JobId, state: JobState) {
        let what = format!("job {job} is {state}");
        until(&what, || async { self.job(job).await.state == state }).await;
    }

    /// Waits until the job is over and its document destroyed, and tells how it ended.
    pub(crate) async fn until_closed(&self, job: JobId) -> (JobState, Option<Reason>) {
        let what = format!("job {job} is closed");
        until(&what, || async { self.job(job).await.is_closed }).await;
        assert!(!self.is_spooled(job), "a closed job leaves no document");
        let name = format!("print/{job}");
        let stream = self.journal.stream_state(&name).await;
        let stream = stream.expect("a stream's state");
        assert!(matches!(stream, StreamState::Closed { .. }), "{stream:?}");
        let view = self.job(job).await;
        (view.state, view.reason)
    }

    /// Waits until the printer stands as `seen` says.
    pub(crate) async fn until_printer(&self, what: &str, seen: impl Fn(&FakePrinter) -> bool) {
        let printer = self.printer();
        let mut changes = printer.changes();
        let waited = tokio::time::timeout(DEADLINE, async {
            while !seen(&printer) {
                changes.changed().await.expect("the printer lives");
            }
        });
        assert!(waited.await.is_ok(), "never came about: {what}");
    }

    pub(crate) fn is_spooled(&self, job: JobId) -> bool {
        let spool = &self.documents.spool;
        spool.key(&job.to_string()).is_ok() || spool.blob(&job.to_string()).is_ok()
    }

    /// Kinds of a job's events, in order.
    pub(crate) async fn events(&self, job: JobId) -> Vec<String> {
        let events = self.journal.stream(&format!("print/{job}")).await;
        let events = events.expect("events").into_iter();
        events.map(|event| event.kind).collect()
    }

    pub(crate) async fn outbox(&self) -> Vec<OutboxRow> {
        self.journal.outbox_after(0, 256).await.expect("the outbox")
    }

    /// What waits for central of one job.
    pub(crate) async fn told(&self, job: JobId) -> Vec<JobReport> {
        let rows = self.outbox().await.into_iter();
        let reports = rows.filter_map(|row| serde_json::from_slice::<Report>(&row.bytes).ok());
        reports
            .filter_map(|report| match report {
                Report::Job(report) if report.job_id == job => Some(report),
                Report::Job(_) | Report::Device(_) | Report::Key(_) | Report::Quarantine(_) => None,
            })
            .collect()
    }

    /// Lets this many reports wait for central.
    pub(crate) async fn fill_outbox(&self, count: usize) {
        let mut left = count - self.outbox_count().await;
        while left > 0 {
            let report = NewReport {
                kind: "filler".to_owned(),
                bytes: b"{}".to_vec(),
            };
            let reports = vec![report; left.min(200)];
            left -= reports.len();
            let batch = Batch {
                reports,
                ..Batch::default()
            };
            self.journal.append(batch).await.expect("an append");
        }
    }

    async fn outbox_count(&self) -> usize {
        let span = self.journal.outbox_span().await.expect("the outbox");
        usize::try_from(span.count).expect("a count")
    }

    /// Fills the journal until it takes neither report nor event; gives the last report's number, by which most of it is
    /// emptied again.
    pub(crate) async fn fill_journal(&self) -> u64 {
        let mut last = 0;
        for size_bytes in [30_000, 3_000, 300, 30] {
            let row = NewReport {
                kind: "filler".to_owned(),
                bytes: vec![b'x'; size_bytes],
            };
            while let Some(appended) = self
                .append_if_room(Batch {
                    reports: vec![row.clone()],
                    ..Batch::default()
                })
                .await
            {
                last = appended.last_report_seq.expect("a number");
            }
        }
        for size_bytes in [100, 10] {
            for no in 0.. {
                let name = format!("filler/{size_bytes}/{no}");
                let batch = Batch {
                    events: vec![NewEvent {
                        stream: name.clone(),
                        kind: "filler".to_owned(),
                        version: 1,
                        bytes: vec![b'x'; size_bytes],
                    }],
                    close_streams: vec![CloseStream { name, at_ms: 0 }],
                    ..Batch::default()
                };
                if self.append_if_room(batch).await.is_none() {
                    break;
                }
            }
        }
        last
    }

    async fn append_if_room(&self, batch: Batch) -> Option<Appended> {
        match self.journal.append(batch).await {
            Ok(appended) => Some(appended),
            Err(JournalError::Full) => None,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Pages of the sample.
const PAGES: u32 = crate::printer::PAGES;

async fn ended(mut task: JoinSet<Result<(), DeskError>>) -> Result<(), DeskError> {
    let ended = tokio::time::timeout(DEADLINE, task.join_next()).await;
    let ended = ended.expect("the unit ends").expect("one task");
    ended.expect("no panic")
}

/// Waits for a value, looking each time the desk has answered; the deadline fails the test.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut seen: impl FnMut() -> F) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !seen().await {
            tokio::task::yield_now().await;
        }
    });
    assert!(waited.await.is_ok(), "never came about: {what}");
}
