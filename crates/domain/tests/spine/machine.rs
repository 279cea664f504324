//! A machine as a model: a desk, a disk, printers, and effects that run, fail, are late or are lost.
//!
//! Everything it does goes through `decide`, the JSON of events, `apply` and `effects`, as in the real program; what
//! must hold at every moment is checked at every moment.

use std::collections::BTreeMap;

use loket_domain::core::{Core as _, Now};
use loket_domain::print::{
    Action, Actor, Answer, Command, Desk, Effect, EffectId, Event, Facts, Intake, Job, Origin,
    Refusal, RemoteJob, Revision, Stage, Verification, What,
};
use loket_wire::{
    Blob, Class, Epoch, JobId, JobReport, JobState, Reason, Release, Report, Service, Sha256Digest,
    Timestamp,
};

use crate::printer::{No, Printer};

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
        sha256: Sha256Digest::of(job.as_bytes()),
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
        not_after: START.saturating_add(std::time::Duration::from_secs(7 * 86_400)),
        verified_at: START,
        printer: None,
    }
}

/// What survives a crash: the journal file.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) epoch: Epoch,
    pub(crate) events: Vec<Event>,
    pub(crate) outbox: BTreeMap<u64, JobReport>,
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

/// How a request and its answer fare on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Both arrive.
    Good,
    /// The request is done twice.
    Twice,
    /// The request does not arrive.
    RequestLost,
    /// The answer does not arrive.
    AnswerLost,
    /// The document's bytes stop half way.
    Torn,
    /// The document's bytes arrive after everybody stopped waiting.
    Late,
}

#[derive(Debug, Clone)]
enum Flying {
    Asked(Effect),
    Answered(Command),
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
    pub(crate) spoiled: std::collections::BTreeSet<JobId>,
    /// Sheets of a job that the journal was made to forget, in pages.
    pub(crate) forgotten_pages: BTreeMap<JobId, u32>,
    /// The journal, folded as it grows.
    shadow: Desk,
    flying: BTreeMap<EffectId, Flying>,
    given: Vec<Command>,
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
            spoiled: std::collections::BTreeSet::new(),
            forgotten_pages: BTreeMap::new(),
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
            self.disk.events.push(read);
            self.desk
                .apply(event)
                .unwrap_or_else(|illegal| panic!("apply refuses what decide gave: {illegal}"));
            let job = self.desk.job(event.job_id).unwrap();
            if let Some(Report::Job(report)) = event.report(job) {
                self.push_report(report);
            }
        }
        self.desk.forget_closed();
        if !events.is_empty() {
            self.check();
        }
        Ok(events)
    }

    /// A report that belongs to no event.
    pub(crate) fn push_report(&mut self, report: JobReport) {
        self.disk.last_event_seq += 1;
        self.disk.outbox.insert(self.disk.last_event_seq, report);
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

    /// The journal becomes `disk`: an older copy, or an empty one.
    pub(crate) fn replace_disk(&mut self, disk: Disk) {
        let known = |events: &[Event], job: JobId| {
            let began = |event: &&Event| event.job_id == job && event.what == What::SendingBegan;
            events.iter().filter(began).count()
        };
        let jobs: Vec<JobId> = self.disk.events.iter().map(|event| event.job_id).collect();
        for job in jobs {
            if known(&disk.events, job) < known(&self.disk.events, job) {
                let pages = self.pages_of(job);
                self.forgotten_pages
                    .insert(job, pages.max(revision_of(job).page_count));
            }
        }
        self.disk = disk;
        self.restart();
    }

    pub(crate) fn pages_of(&self, job: JobId) -> u32 {
        let sha256 = revision_of(job).sha256;
        self.printers
            .values()
            .map(|printer| printer.pages_of(sha256))
            .sum()
    }

    /// An officer who looks into the trays answers the truth.
    pub(crate) fn answer(&mut self, job: JobId) -> Result<Vec<Event>, Refusal> {
        let pages = self.pages_of(job);
        let answer = match pages {
            0 => Answer::DidNot,
            all if all >= revision_of(job).page_count => Answer::CameOut,
            _some => Answer::Damaged,
        };
        self.submit(Command::Answer {
            job,
            answer,
            by: officer(),
        })
    }

    /// Starts one effect that does not run yet.
    pub(crate) fn start(&mut self, pick: usize) -> Option<EffectId> {
        let mut idle = self.desk.effects(self.now);
        idle.retain(|effect| !self.flying.contains_key(&effect.id));
        let effect = idle.get(pick.checked_rem(idle.len())?)?.clone();
        let id = effect.id;
        self.flying.insert(id, Flying::Asked(effect));
        Some(id)
    }

    /// One started effect does its work; true when it did.
    pub(crate) fn perform(&mut self, pick: usize, way: Way) -> Option<EffectId> {
        let asked = |(id, flying): (&EffectId, &Flying)| match flying {
            Flying::Asked(effect) => Some((*id, effect.clone())),
            Flying::Answered(_) => None,
        };
        let asked: Vec<_> = self.flying.iter().filter_map(asked).collect();
        let (id, effect) = asked.get(pick.checked_rem(asked.len())?)?.clone();
        let mut answer = self.act(&effect, way);
        if way == Way::Twice && is_repeatable(self, &effect) {
            answer = self.act(&effect, Way::Good).or(answer);
        }
        match answer {
            Some(command) => self.flying.insert(id, Flying::Answered(command)),
            None => self.flying.remove(&id),
        };
        Some(id)
    }

    /// One answer reaches the desk.
    pub(crate) fn deliver(&mut self, pick: usize) -> Option<()> {
        let answered = |(id, flying): (&EffectId, &Flying)| match flying {
            Flying::Answered(command) => Some((*id, command.clone())),
            Flying::Asked(_) => None,
        };
        let answered: Vec<_> = self.flying.iter().filter_map(answered).collect();
        let (id, command) = answered.get(pick.checked_rem(answered.len())?)?.clone();
        self.flying.remove(&id);
        self.given.push(command.clone());
        drop(self.submit(command));
        Some(())
    }

    /// An effect from start to answer.
    pub(crate) fn run(&mut self, pick: usize, way: Way) {
        if self.start(pick).is_some() {
            self.perform(pick, way);
            self.deliver(pick);
        }
    }

    /// An answer given before comes again, though its attempt is over.
    pub(crate) fn repeat_stale(&mut self, pick: usize) {
        let stale = |command: &&Command| match command {
            Command::Created { job, attempt, .. }
            | Command::CreateUnclear { job, attempt }
            | Command::Prepared { job, attempt, .. }
            | Command::Sent { job, attempt }
            | Command::SendUnclear { job, attempt }
            | Command::Sighted { job, attempt, .. } => self
                .desk
                .job(*job)
                .is_some_and(|job| job.attempt_count > *attempt),
            _once => true,
        };
        let all: Vec<&Command> = self.given.iter().filter(stale).collect();
        if let Some(command) = pick.checked_rem(all.len()).and_then(|at| all.get(at)) {
            let command = (*command).clone();
            drop(self.submit(command));
        }
    }

    fn act(&mut self, effect: &Effect, way: Way) -> Option<Command> {
        let (job, attempt) = (effect.id.job, effect.id.attempt);
        match &effect.action {
            Action::Fetch { .. } => (way != Way::AnswerLost).then_some(Command::Received { job }),
            Action::Verify { .. } => {
                let refused = self.verdicts.get(&job).copied();
                let valid = Verification::Valid(revision_of(job));
                let outcome = refused.map_or(valid, Verification::Refused);
                Some(Command::Verified { job, outcome })
            }
            Action::Prepare { revision } => {
                let opened = (!self.spoiled.contains(&job)).then_some(revision.sha256);
                Some(Command::Prepared {
                    job,
                    attempt,
                    opened,
                })
            }
            Action::Shred => (way != Way::AnswerLost).then_some(Command::Shredded { job }),
            Action::Create { printer, name } => self.create(effect, printer, name, way),
            Action::Send {
                printer,
                remote,
                revision,
                ..
            } => {
                self.check_send(job, attempt, remote);
                let is_sent = self.send(printer, remote, *revision, way);
                Some(if is_sent {
                    Command::Sent { job, attempt }
                } else {
                    Command::SendUnclear { job, attempt }
                })
            }
            Action::Survey { printer } => {
                let survey = self.printer(printer).survey().ok()?;
                let printer = printer.clone();
                Some(Command::Surveyed {
                    job,
                    printer,
                    survey,
                })
            }
            Action::Locate { printer, name } => {
                let sighting = self.printer(printer).locate(name).ok()?;
                Some(Command::Sighted {
                    job,
                    attempt,
                    sighting,
                })
            }
            Action::Cancel { printer, remote } => {
                if way != Way::RequestLost {
                    self.printer(printer).cancel(remote);
                }
                let sighting = self.printer(printer).look(remote).ok()?;
                Some(Command::Sighted {
                    job,
                    attempt,
                    sighting,
                })
            }
            Action::Look { printer, remote } => {
                let sighting = self.printer(printer).look(remote).ok()?;
                Some(Command::Sighted {
                    job,
                    attempt,
                    sighting,
                })
            }
        }
    }

    fn create(&mut self, effect: &Effect, printer: &str, name: &str, way: Way) -> Option<Command> {
        let (job, attempt) = (effect.id.job, effect.id.attempt);
        let lost = Some(Command::CreateUnclear { job, attempt });
        if way == Way::RequestLost {
            return lost;
        }
        match self.printer(printer).create(name) {
            Ok(_remote) if way == Way::AnswerLost => lost,
            Ok(remote) => Some(Command::Created {
                job,
                attempt,
                remote,
            }),
            Err(No::NotNow) => None,
            Err(No::Never) => Some(Command::CreateRefused { job, attempt }),
        }
    }

    fn send(&mut self, printer: &str, remote: &RemoteJob, revision: Revision, way: Way) -> bool {
        let printer = self.printer(printer);
        match way {
            Way::Good | Way::Twice => printer.send(remote, revision).is_ok(),
            Way::AnswerLost => {
                drop(printer.send(remote, revision));
                false
            }
            Way::Torn => {
                printer.send_torn(remote, revision);
                false
            }
            Way::Late => {
                printer.send_late(remote, revision);
                false
            }
            Way::RequestLost => false,
        }
    }

    pub(crate) fn printer(&mut self, lane: &str) -> &mut Printer {
        self.printers.get_mut(lane).unwrap()
    }

    /// Faults stop: everything is reachable, and effects and printers run until nothing moves.
    pub(crate) fn settle(&mut self) {
        const MAX_ROUNDS: u32 = 400;
        let mut quiet = 0;
        for _round in 0..MAX_ROUNDS {
            let before = self.disk.events.len();
            for printer in self.printers.values_mut() {
                printer.is_on = true;
                printer.arrive();
            }
            while self.start(0).is_some() {}
            while self.has_asked() {
                self.perform(0, Way::Good);
            }
            while self.deliver(0).is_some() {}
            for printer in self.printers.values_mut() {
                printer.work();
            }
            drop(self.submit(Command::Tick));
            let is_idle = self.printers.values().all(Printer::is_idle);
            let is_quiet = is_idle && self.disk.events.len() == before;
            quiet = if is_quiet { quiet + 1 } else { 0 };
            if quiet > 3 {
                return;
            }
        }
        panic!("nothing comes to rest: {:?}", self.desk);
    }

    fn has_asked(&self) -> bool {
        let asked = |flying: &Flying| matches!(flying, Flying::Asked(_));
        self.flying.values().any(asked)
    }

    /// What must hold of a document's bytes before they leave.
    fn check_send(&self, job: JobId, attempt: u32, remote: &RemoteJob) {
        let events: Vec<&What> = self
            .disk
            .events
            .iter()
            .filter(|event| event.job_id == job)
            .map(|event| &event.what)
            .collect();
        let at = |wanted: &dyn Fn(&What) -> bool| events.iter().rposition(|what| wanted(what));
        let started =
            at(&|what| matches!(what, What::AttemptStarted { no, .. } if *no == attempt)).unwrap();
        let created =
            at(&|what| matches!(what, What::RemoteCreated { remote: known } if known == remote));
        let began = at(&|what| *what == What::SendingBegan);
        assert!(
            Some(started) < created && created < began,
            "the remote job and then the sending are on disk before the first byte leaves"
        );
        let prefix = format!("loket:{job}:");
        for printer in self.printers.values() {
            assert!(
                self.forgotten_pages.contains_key(&job)
                    || !printer.another_may_print(&prefix, remote, revision_of(job).sha256),
                "a document is sent while another job at the printer may hold it"
            );
        }
    }

    /// What must hold at every moment.
    fn check(&self) {
        let mut lanes: Vec<&str> = Vec::new();
        for job in self.desk.jobs() {
            if let Stage::Attempting(attempt) = &job.stage {
                assert!(
                    !lanes.contains(&attempt.printer.as_str()),
                    "one attempt a lane"
                );
                lanes.push(&attempt.printer);
            }
        }
        self.check_paper();
        assert_eq!(
            ranked(&self.desk),
            ranked(&self.shadow),
            "the journal folds to the desk"
        );
    }

    /// What must hold of paper, whatever the desk believes.
    pub(crate) fn check_paper(&self) {
        let ends = self
            .disk
            .events
            .iter()
            .filter_map(|event| match &event.what {
                What::Ended { state, reason, .. } => Some((event.job_id, *state, *reason)),
                _other => None,
            });
        for (job, state, reason) in ends {
            let (pages, whole) = (self.pages_of(job), revision_of(job).page_count);
            let forgotten = self.forgotten_pages.contains_key(&job);
            match state {
                JobState::Printed => assert!(pages >= whole, "printed means a sheet: {pages}"),
                JobState::Failed if reason == Some(Reason::SheetDamaged) => assert!(pages > 0),
                other => {
                    assert!(
                        pages == 0 || forgotten,
                        "{other} {reason:?} means no sheet: {pages}"
                    );
                }
            }
        }
        let jobs = self.disk.events.iter().map(|event| event.job_id);
        for job in jobs {
            let allowed =
                revision_of(job).page_count + self.forgotten_pages.get(&job).copied().unwrap_or(0);
            let pages = self.pages_of(job);
            assert!(
                pages <= allowed,
                "a page came out twice: {pages} of {allowed}"
            );
        }
    }

    /// After faults stopped: nothing waits but for a person, and nothing is left at the printers.
    pub(crate) fn check_rest(&self) {
        for job in self.desk.jobs() {
            assert!(
                matches!(
                    job.stage,
                    Stage::Held | Stage::Unknown { .. } | Stage::Closed { .. }
                ),
                "a job is stuck: {:?}",
                job.stage
            );
        }
        for printer in self.printers.values() {
            assert_eq!(
                printer.open_count("loket:"),
                0,
                "a job is left at the printer"
            );
        }
    }
}

/// What the effect's documentation allows to happen twice: all but Create-Job, and Send-Document only where the
/// printer refuses a second document.
fn is_repeatable(machine: &Machine, effect: &Effect) -> bool {
    match &effect.action {
        Action::Create { .. } => false,
        Action::Send { printer, .. } => machine.printers[printer].habits().is_single_document,
        _other => true,
    }
}

/// Jobs without the numbers that only order them.
fn ranked(desk: &Desk) -> Vec<Job> {
    let mut jobs: Vec<Job> = desk
        .jobs()
        .filter(|job| !job.is_closed())
        .cloned()
        .collect();
    jobs.sort_by_key(|job| job.accepted_no);
    for (rank, job) in (0_u64..).zip(&mut jobs) {
        job.accepted_no = rank;
    }
    jobs
}
