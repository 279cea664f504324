//! A machine as a model: a desk, a disk, printers, and effects that run, fail, are late or are lost.
//!
//! Everything it does goes through `decide`, the JSON of events, `apply` and `effects`, as in the real program; what
//! must hold at every moment is checked at every moment.

#[path = "rules.rs"]
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loket_domain::core::{Core as _, Now};
use loket_domain::print::{
    Actor, Answer, Command, Desk, EffectId, Event, Facts, Intake, Job, Origin, Refusal, Revision,
    Stage, What,
};
use loket_wire::{
    Blob, Class, Epoch, JobId, JobReport, JobState, OpenJob, Reason, Release, Report, Service,
    Sha256Digest, Timestamp,
};

use crate::hands::Flying;
use crate::printer::Printer;

/// 2026-11-23T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_unix_ms(1_795_392_000_000);

/// What a document of the model is: its digest follows from the job, odd jobs have two pages.
pub(crate) fn revision_of(job: JobId) -> Revision {
    let page_count = if job.as_bytes()[15].is_multiple_of(2) {
        1
    } else {
        2
    };
    Revision {
        size_bytes: 40_000,
        sha256: Sha256Digest::from_bytes(std::array::from_fn(|at| job.as_bytes()[at % 16])),
        page_count,
    }
}

pub(crate) fn job_id(no: u8) -> JobId {
    let unix_ms = u64::try_from(START.unix_ms()).unwrap();
    JobId::from_parts(unix_ms, [0, 0, 0, 0, 0, 0, 0, 0, 0, no])
}

pub(crate) fn officer() -> Actor {
    Actor::Officer("sari".to_owned())
}

/// The facts of an order as central gives it.
pub(crate) fn order(job: JobId, epoch: Epoch, command_seq: u64, envelope: u8) -> Facts {
    Facts {
        job_id: job,
        origin: Origin::Central {
            command_seq,
            epoch,
            envelope: Sha256Digest::from_bytes([envelope; 32]),
            blob: Blob {
                sha256: Sha256Digest::from_bytes([7; 32]),
                size_bytes: 40_100,
            },
        },
        reference: "KK-1".parse().unwrap(),
        service: Service::new("kk").unwrap(),
        class: Class::Controlled,
        release: Release::Now,
        not_after: START.saturating_add(Duration::from_secs(7 * 86_400)),
        verified_at: START,
        printer: None,
        reprint: None,
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    Job(JobReport),
    /// A message that was refused and set aside.
    Quarantine,
}

impl Row {
    /// What tells it from another row under the same number, as central keeps it.
    pub(crate) fn mark(&self) -> String {
        match self {
            Self::Job(job) => format!("{} {} {}", job.job_id, job.state, job.at),
            Self::Quarantine => "quarantine".to_owned(),
        }
    }
}

/// What a machine says on connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyncMessage {
    pub(crate) epoch: Epoch,
    pub(crate) session_seq: u64,
    pub(crate) last_command_seq: u64,
    pub(crate) first_event_seq: Option<u64>,
    pub(crate) last_event_seq: u64,
    pub(crate) open_jobs: BTreeMap<JobId, OpenJob>,
    /// What central drew last, as far as it was heard.
    pub(crate) hello: Option<u64>,
}

/// What survives a crash: the journal file.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) epoch: Epoch,
    pub(crate) events: Vec<Event>,
    pub(crate) outbox: BTreeMap<u64, Row>,
    pub(crate) last_event_seq: u64,
    pub(crate) last_command_seq: u64,
}

impl Disk {
    pub(crate) const fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            events: Vec::new(),
            outbox: BTreeMap::new(),
            last_event_seq: 0,
            last_command_seq: 0,
        }
    }
}

/// A machine.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) now: Now,
    pub(crate) disk: Disk,
    pub(crate) desk: Desk,
    pub(crate) printers: BTreeMap<String, Printer>,
    /// What verification will say where it is not valid.
    pub(crate) verdicts: BTreeMap<JobId, Reason>,
    /// Documents whose copy in the spool is gone.
    pub(crate) spoiled: BTreeSet<JobId>,
    /// Documents that central no longer serves.
    pub(crate) gone: BTreeSet<JobId>,
    /// Documents that were fetched since somebody looked.
    pub(crate) fetched: Vec<JobId>,
    /// Pages of a job that may come out again because a journal forgot that it was sent; empty unless a test says
    /// which flaw it shows.
    pub(crate) forgotten_pages: BTreeMap<JobId, u32>,
    /// Jobs whose sending a journal forgot.
    pub(crate) forgotten: BTreeSet<JobId>,
    session_seq: u64,
    /// What central drew last, and what the last sync answered.
    hello: Option<u64>,
    answered: Option<u64>,
    /// The journal, folded as it grows.
    shadow: Desk,
    /// Effects that were started, and what they answered.
    pub(crate) flying: BTreeMap<EffectId, Flying>,
    /// Answers given since the start.
    pub(crate) given: Vec<Command>,
}

impl Machine {
    pub(crate) fn new(epoch: Epoch, printers: Vec<Printer>) -> Self {
        let named = printers
            .into_iter()
            .enumerate()
            .map(|(no, printer)| (format!("lane-{no}"), printer));
        let printers: BTreeMap<String, Printer> = named.collect();
        let desk = Desk::new(printers.keys().cloned().collect());
        Self {
            now: Now {
                wall: START,
                trusted: true,
                floor: START,
            },
            disk: Disk::new(epoch),
            shadow: desk.clone(),
            desk,
            printers,
            verdicts: BTreeMap::new(),
            spoiled: BTreeSet::new(),
            gone: BTreeSet::new(),
            fetched: Vec::new(),
            forgotten_pages: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            session_seq: 0,
            hello: None,
            answered: None,
            flying: BTreeMap::new(),
            given: Vec::new(),
        }
    }

    /// decide → journal → apply, then everything that must hold.
    pub(crate) fn submit(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        if let Command::Accept(Intake::Good(facts) | Intake::Bad { facts, .. }) = &command {
            self.remember(facts.job_id);
        }
        if let Command::Cancel {
            job,
            by: Actor::Central,
        } = &command
        {
            self.remember(*job);
        }
        let events = self.desk.decide(self.now, command)?;
        for event in &events {
            let written = serde_json::to_string(event).unwrap();
            let read: Event = serde_json::from_str(&written).unwrap();
            assert_eq!(&read, event, "an event survives its disk form: {written}");
            self.shadow.apply(&read).unwrap();
            if read.what.is_change() {
                self.disk.events.push(read);
            }
            self.desk
                .apply(event)
                .unwrap_or_else(|illegal| panic!("apply refuses what decide gave: {illegal}"));
            let job = self.desk.job(event.job_id).unwrap();
            if let Some(Report::Job(report)) = event.report(job) {
                self.push_row(Row::Job(report));
            }
        }
        self.desk.forget_closed();
        if events.iter().any(|event| event.what.is_change()) {
            self.check();
        }
        Ok(events)
    }

    fn push_row(&mut self, row: Row) {
        self.disk.last_event_seq += 1;
        self.disk.outbox.insert(self.disk.last_event_seq, row);
    }

    /// Central's order arrives.
    pub(crate) fn take_order(&mut self, facts: Facts) {
        let Origin::Central {
            epoch, command_seq, ..
        } = facts.origin
        else {
            panic!("central's order has another origin");
        };
        if epoch != self.disk.epoch {
            self.push_row(Row::Quarantine);
            return;
        }
        let job = facts.job_id;
        match self.submit(Command::Accept(Intake::Good(Box::new(facts)))) {
            Ok(_events) => self.keep_seq(command_seq),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Replay);
                self.push_row(Row::Quarantine);
                self.submit(Command::Restate { job }).unwrap();
            }
        }
    }

    /// A person gives a document by hand.
    pub(crate) fn take_by_hand(&mut self, job: JobId) {
        let facts = Facts {
            origin: Origin::Local {
                by: Some("wati".to_owned()),
            },
            printer: self.printers.keys().next().cloned(),
            not_after: self.now.wall.saturating_add(Duration::from_secs(86_400)),
            ..order(job, self.disk.epoch, 0, 0)
        };
        let intake = Intake::Good(Box::new(facts));
        self.submit(Command::Accept(intake)).unwrap();
    }

    /// The jobs given by hand that the present journal knows, with what it says last.
    pub(crate) fn by_hand(&self) -> impl Iterator<Item = &Job> {
        let jobs = self.shadow.jobs();
        jobs.filter(|job| job.local().is_some())
    }

    /// Central's question arrives.
    pub(crate) fn take_cancel(&mut self, job: JobId, seq: u64) {
        drop(self.submit(Command::Cancel {
            job,
            by: Actor::Central,
        }));
        self.keep_seq(seq);
    }

    /// Hears what central drew; true where it asks for the sync.
    pub(crate) fn hear(&mut self, epoch: Epoch, hello: Option<u64>) -> bool {
        let asks = epoch == self.disk.epoch && hello.is_some() && hello != self.answered;
        if asks {
            self.hello = hello;
        }
        asks
    }

    /// Central's acknowledgement arrives; gives the rows that died.
    pub(crate) fn take_ack(&mut self, epoch: Epoch, seq: u64) -> BTreeMap<u64, Row> {
        if epoch != self.disk.epoch || seq > self.disk.last_event_seq {
            return BTreeMap::new();
        }
        let kept = self.disk.outbox.split_off(&(seq + 1));
        std::mem::replace(&mut self.disk.outbox, kept)
    }

    fn keep_seq(&mut self, seq: u64) {
        self.disk.last_command_seq = self.disk.last_command_seq.max(seq);
    }

    pub(crate) fn say_hello(&mut self) -> SyncMessage {
        self.session_seq += 1;
        self.answered = self.hello;
        let open = self.desk.open_jobs();
        SyncMessage {
            epoch: self.disk.epoch,
            session_seq: self.session_seq,
            last_command_seq: self.disk.last_command_seq,
            first_event_seq: self.disk.outbox.keys().next().copied(),
            last_event_seq: self.disk.last_event_seq,
            open_jobs: open.into_iter().map(|open| (open.job_id, open)).collect(),
            hello: self.hello,
        }
    }

    /// Events that changed a job; told again or refused is none.
    pub(crate) fn change_count(&self) -> usize {
        let told = |what: &What| matches!(what, What::Restated { .. } | What::CancelRefused);
        let changes = self.disk.events.iter().filter(|event| !told(&event.what));
        changes.count()
    }

    /// What the present journal says of a job.
    pub(crate) fn last_word(&self, job: JobId) -> Option<(JobState, Option<Reason>)> {
        self.shadow.job(job).map(Job::public_state)
    }

    /// A closed job is not in memory: as the program does, the journal is asked before an order counts as new.
    fn remember(&mut self, job: JobId) {
        if self.desk.job(job).is_none() {
            for event in self.disk.events.iter().filter(|event| event.job_id == job) {
                self.desk.apply(event).unwrap();
            }
        }
    }

    /// The program dies and starts again.
    pub(crate) fn restart(&mut self) {
        self.flying.clear();
        self.given.clear();
        (self.hello, self.answered) = (None, None);
        self.shadow = self.folded();
        self.desk = self.shadow.clone();
        self.desk.forget_closed();
        self.submit(Command::Resume).unwrap();
    }

    fn folded(&self) -> Desk {
        let mut desk = Desk::new(self.printers.keys().cloned().collect());
        for event in &self.disk.events {
            desk.apply(event).unwrap();
        }
        desk
    }

    /// The journal becomes `disk`: an older copy, or an empty one. Gives the jobs whose sending it forgets.
    pub(crate) fn replace_disk(&mut self, disk: Disk) -> BTreeSet<JobId> {
        let sends = |events: &[Event], job: JobId| {
            let began = |event: &&Event| event.job_id == job && event.what == What::SendingBegan;
            events.iter().filter(began).count()
        };
        let jobs: BTreeSet<JobId> = self.disk.events.iter().map(|event| event.job_id).collect();
        let is_forgotten = |job: &JobId| sends(&disk.events, *job) < sends(&self.disk.events, *job);
        let forgotten = jobs.into_iter().filter(is_forgotten).collect();
        self.disk = disk;
        self.flying.clear();
        forgotten
    }

    pub(crate) fn pages_of(&self, job: JobId) -> u32 {
        let sha256 = revision_of(job).sha256;
        self.printers
            .values()
            .map(|printer| printer.pages_of(sha256))
            .sum()
    }

    /// An officer who looks into the trays answers the truth. Nobody is so fast that a job would still come whose sender
    /// is gone: its connection is over within the minute.
    pub(crate) fn answer(&mut self, job: JobId) -> Result<Vec<Event>, Refusal> {
        for printer in self.printers.values_mut() {
            printer.arrive_whole();
        }
        let pages = self.pages_of(job);
        let answer = match pages {
            0 => Answer::DidNot,
            all if all >= revision_of(job).page_count => Answer::CameOut,
            _some => Answer::Damaged,
        };
        let attempt = self.desk.job(job).and_then(|job| match &job.stage {
            Stage::Unknown { attempt, .. } => Some(*attempt),
            _known => None,
        });
        self.submit(Command::Answer {
            job,
            attempt,
            answer,
            by: officer(),
        })
    }

    pub(crate) fn printer(&mut self, lane: &str) -> &mut Printer {
        self.tell_time();
        self.printers.get_mut(lane).unwrap()
    }

    pub(crate) fn tell_time(&mut self) {
        for printer in self.printers.values_mut() {
            printer.tell_time(self.now.wall);
        }
    }
}
