//! A printer that does what a test says, and counts what it did.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use loket_daemon::device::{DeviceFault, DeviceFuture, Made, Printer, PrinterStatus};
use loket_domain::print::{
    Asked, PrinterMark, PrinterSurvey, RemoteJob, RemoteState, RemoteView, Sighting,
};
use loket_ipp_printer::{IppError, Operation};
use loket_wire::{Class, Sha256Digest};
use tokio::sync::watch;

/// What the desk asks of a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Op {
    Survey,
    Create,
    Locate,
    Send,
    Print,
    Look,
    Cancel,
}

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done and answered.
    Answered,
    /// It is done, and no answer comes until the question is dropped or the fate changes.
    Silent,
    /// It is neither done nor answered until the fate changes.
    Stuck,
    /// It is done and the answer is lost.
    AnswerLost,
    /// It is lost on the way.
    Lost,
    /// Nothing leaves for the printer.
    Away,
    /// The printer is at work for somebody else.
    Busy,
    /// The printer says no.
    Refused,
}

#[derive(Debug, Clone)]
struct Job {
    name: String,
    state: RemoteState,
    impressions: Option<u32>,
}

#[derive(Debug)]
struct State {
    fates: BTreeMap<Op, Fate>,
    counts: BTreeMap<Op, u32>,
    dropped: BTreeMap<Op, u32>,
    jobs: BTreeMap<i32, Job>,
    sheets: Vec<(String, Sha256Digest)>,
    prints_at_once: bool,
    survey: PrinterSurvey,
    unsupported: Vec<Asked>,
}

/// The scripted printer.
#[derive(Debug)]
pub(crate) struct FakePrinter {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

/// Pages of the sample document.
pub(crate) const PAGES: u32 = 1;

pub(crate) fn ready(is_single_document: bool) -> PrinterSurvey {
    let mark = PrinterMark {
        uuid: Some("urn:uuid:printer".to_owned()),
        up_time_s: Some(100),
        format: "application/pdf".to_owned(),
        raster: None,
        is_single_document,
        trusts_impressions: true,
        takes_whole: false,
    };
    PrinterSurvey::Ready {
        mark,
        jobs: Vec::new(),
    }
}

/// Of a printer that takes a job only with its document.
pub(crate) fn ready_whole() -> PrinterSurvey {
    let mut survey = ready(true);
    if let PrinterSurvey::Ready { mark, .. } = &mut survey {
        mark.takes_whole = true;
    }
    survey
}

impl FakePrinter {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                fates: BTreeMap::new(),
                counts: BTreeMap::new(),
                dropped: BTreeMap::new(),
                jobs: BTreeMap::new(),
                sheets: Vec::new(),
                prints_at_once: true,
                survey: ready(true),
                unsupported: Vec::new(),
            }),
            changed: watch::channel(0).0,
        }
    }

    /// Says what becomes of each question of a kind from here on, and of those that wait.
    pub(crate) fn set(&self, op: Op, fate: Fate) {
        self.change(|state| {
            state.fates.insert(op, fate);
        });
    }

    /// Leaves documents unprinted until [`Self::finish`].
    pub(crate) fn hold_sheets(&self) {
        self.change(|state| state.prints_at_once = false);
    }

    /// Prints what was held.
    pub(crate) fn finish(&self) {
        self.change(|state| {
            state.prints_at_once = true;
            for job in state.jobs.values_mut() {
                if job.state == RemoteState::Processing {
                    job.state = RemoteState::Completed;
                    job.impressions = Some(PAGES);
                }
            }
        });
    }

    pub(crate) fn answers_survey(&self, survey: PrinterSurvey) {
        self.change(|state| state.survey = survey);
    }

    /// Says which attributes it will not honour.
    pub(crate) fn ignores(&self, asked: &[Asked]) {
        self.change(|state| {
            state.unsupported = asked.to_vec();
        });
    }

    /// Puts an empty job of this name there, as a Create-Job that came late does.
    pub(crate) fn leave_stray(&self, name: &str) {
        self.change(|state| {
            let id = i32::try_from(state.jobs.len()).expect("few jobs") + 1;
            let job = Job {
                name: name.to_owned(),
                state: RemoteState::AwaitingDocument,
                impressions: Some(0),
            };
            state.jobs.insert(id, job);
        });
    }

    /// Forgets its jobs and gives its numbers to somebody else's, which wait for their documents.
    pub(crate) fn restart_with_others_jobs(&self) {
        self.change(|state| {
            for job in state.jobs.values_mut() {
                job.name = "minutes.pdf".to_owned();
                job.state = RemoteState::AwaitingDocument;
                job.impressions = Some(0);
            }
        });
    }

    /// Names of jobs that wait for their documents.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let state = self.lock();
        let waiting = state
            .jobs
            .values()
            .filter(|job| job.state == RemoteState::AwaitingDocument);
        waiting.map(|job| job.name.clone()).collect()
    }

    /// How often it was asked.
    pub(crate) fn count(&self, op: Op) -> u32 {
        self.lock().counts.get(&op).copied().unwrap_or(0)
    }

    /// How many questions were dropped without an answer.
    pub(crate) fn dropped(&self, op: Op) -> u32 {
        self.lock().dropped.get(&op).copied().unwrap_or(0)
    }

    /// Job names and digests of every document it took.
    pub(crate) fn sheets(&self) -> Vec<(String, Sha256Digest)> {
        self.lock().sheets.clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
    }

    fn fate(&self, op: Op) -> Fate {
        self.lock()
            .fates
            .get(&op)
            .copied()
            .unwrap_or(Fate::Answered)
    }

    async fn fate_changes(&self, op: Op, from: Fate) {
        let mut changes = self.changes();
        while self.fate(op) == from {
            changes.changed().await.expect("the printer lives");
        }
    }

    /// Runs one question through its fate.
    async fn answer<T>(&self, op: Op, act: impl FnOnce(&mut State) -> T) -> Result<T, DeviceFault> {
        self.change(|state| *state.counts.entry(op).or_default() += 1);
        let mut guard = Dropped {
            printer: self,
            op: Some(op),
        };
        if self.fate(op) == Fate::Stuck {
            self.fate_changes(op, Fate::Stuck).await;
        }
        let operation = operation(op);
        let lost = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let answered = match self.fate(op) {
            Fate::Answered => Ok(self.act(act)),
            Fate::Silent => {
                let done = self.act(act);
                self.fate_changes(op, Fate::Silent).await;
                Ok(done)
            }
            Fate::AnswerLost => {
                self.act(act);
                Err(DeviceFault::Unclear(IppError::Lost {
                    operation,
                    sent_bytes: u64::MAX,
                    source: lost(),
                }))
            }
            Fate::Lost => Err(DeviceFault::Unclear(IppError::Lost {
                operation,
                sent_bytes: 0,
                source: lost(),
            })),
            Fate::Away | Fate::Stuck => {
                Err(DeviceFault::Wait(IppError::NotReached { source: lost() }))
            }
            Fate::Busy => Err(DeviceFault::Wait(IppError::Refused {
                operation,
                status: 0x0507,
            })),
            Fate::Refused => Err(DeviceFault::Refused(IppError::Refused {
                operation,
                status: 0x0400,
            })),
        };
        guard.op = None;
        answered
    }

    fn act<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let done = act(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
        done
    }
}

/// Notes a question that was dropped before its answer.
struct Dropped<'a> {
    printer: &'a FakePrinter,
    op: Option<Op>,
}

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if let Some(op) = self.op {
            self.printer
                .change(|state| *state.dropped.entry(op).or_default() += 1);
        }
    }
}

const fn operation(op: Op) -> Operation {
    match op {
        Op::Survey => Operation::GetPrinterAttributes,
        Op::Create => Operation::CreateJob,
        Op::Locate => Operation::GetJobs,
        Op::Send => Operation::SendDocument,
        Op::Print => Operation::PrintJob,
        Op::Look => Operation::GetJobAttributes,
        Op::Cancel => Operation::CancelJob,
    }
}

impl State {
    fn view(&self, id: i32) -> Sighting {
        self.jobs.get(&id).map_or(Sighting::Absent, |job| {
            Sighting::Seen(RemoteView {
                id,
                uuid: Some(uuid(id)),
                name: Some(job.name.clone()),
                state: job.state,
                impressions: job.impressions,
                up_time_s: Some(200),
                created_at_s: None,
                printer_uuid: None,
                is_canceled_by_person: false,
            })
        })
    }

    /// Makes a job that waits for its document.
    fn make(&mut self, name: &str) -> Made {
        let id = i32::try_from(self.jobs.len()).expect("few jobs") + 1;
        let job = Job {
            name: name.to_owned(),
            state: RemoteState::AwaitingDocument,
            impressions: Some(0),
        };
        self.jobs.insert(id, job);
        Made {
            remote: RemoteJob {
                id,
                uuid: Some(uuid(id)),
            },
            unsupported: self.unsupported.clone(),
        }
    }

    /// Takes a document; a second one of a job is refused by printers of single-document jobs.
    fn take(&mut self, id: i32, document: &[u8]) {
        let is_single = self.survey == ready(true);
        let done = self.prints_at_once;
        let job = self.jobs.get_mut(&id).expect("a document for a known job");
        if is_single && job.state != RemoteState::AwaitingDocument {
            return;
        }
        job.state = if done {
            RemoteState::Completed
        } else {
            RemoteState::Processing
        };
        job.impressions = Some(if done { PAGES } else { 0 });
        self.sheets
            .push((job.name.clone(), Sha256Digest::of(document)));
    }
}

fn uuid(id: i32) -> String {
    format!("urn:uuid:job-{id}")
}

impl Printer for FakePrinter {
    fn survey(&self) -> DeviceFuture<'_, PrinterSurvey> {
        Box::pin(self.answer(Op::Survey, |state| {
            let mut survey = state.survey.clone();
            if let PrinterSurvey::Ready { jobs, .. } = &mut survey {
                let seen = state.jobs.keys().map(|id| state.view(*id));
                jobs.extend(seen.filter_map(|sighting| match sighting {
                    Sighting::Seen(view) => Some(view),
                    Sighting::Absent | Sighting::Unasked => None,
                }));
            }
            survey
        }))
    }

    fn status(&self) -> DeviceFuture<'_, PrinterStatus> {
        Box::pin(async {
            Ok(PrinterStatus {
                state: "idle",
                reasons: Vec::new(),
                model: None,
                stock: None,
                impressions: None,
            })
        })
    }

    fn print<'a>(
        &'a self,
        name: &'a str,
        _: Class,
        _: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, Made> {
        Box::pin(self.answer(Op::Print, move |state| {
            let made = state.make(name);
            state.take(made.remote.id, &document);
            made
        }))
    }

    fn create<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Made> {
        Box::pin(self.answer(Op::Create, |state| state.make(name)))
    }

    fn locate<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Sighting> {
        Box::pin(self.answer(Op::Locate, move |state| {
            let found = state.jobs.iter().find(|(_id, job)| job.name == name);
            found.map_or(Sighting::Absent, |(id, _job)| state.view(*id))
        }))
    }

    fn send<'a>(
        &'a self,
        job: &'a RemoteJob,
        _format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, ()> {
        Box::pin(self.answer(Op::Send, move |state| state.take(job.id, &document)))
    }

    fn look<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, Sighting> {
        Box::pin(self.answer(Op::Look, |state| state.view(job.id)))
    }

    fn cancel<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, ()> {
        Box::pin(self.answer(Op::Cancel, |state| {
            if let Some(job) = state.jobs.get_mut(&job.id)
                && job.state == RemoteState::AwaitingDocument
            {
                job.state = RemoteState::Canceled;
            }
        }))
    }
}
