//! What a machine does for its desk: effects that run, fail, are late, lost or done twice.

use loket_domain::core::Core as _;
use loket_domain::print::{
    Action, Command, Effect, EffectId, RemoteJob, Revision, Verification, What,
};
use loket_wire::{JobId, Reason};

use crate::machine::{Machine, revision_of};
use crate::printer::{No, Printer};

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

/// A started effect.
#[derive(Debug, Clone)]
pub(crate) enum Flying {
    Asked(Effect),
    Answered(Command),
}

impl Machine {
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
            Action::Fetch { .. } if !matches!(way, Way::Good | Way::Twice) => None,
            Action::Fetch { .. } if self.gone.contains(&job) => {
                let reason = Reason::DocumentGone;
                Some(Command::FetchFailed { job, reason })
            }
            Action::Fetch { .. } => {
                self.fetched.push(job);
                Some(Command::Received { job })
            }
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
            Action::Survey { .. }
            | Action::Locate { .. }
            | Action::Cancel { .. }
            | Action::Look { .. } => self.ask_printer(effect, way),
        }
    }

    fn ask_printer(&mut self, effect: &Effect, way: Way) -> Option<Command> {
        let (job, attempt) = (effect.id.job, effect.id.attempt);
        match &effect.action {
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
            Action::Fetch { .. }
            | Action::Verify { .. }
            | Action::Prepare { .. }
            | Action::Create { .. }
            | Action::Send { .. }
            | Action::Shred => None,
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

    /// Faults stop: everything is reachable, and effects and printers run until nothing moves.
    pub(crate) fn settle(&mut self) {
        const MAX_ROUNDS: u32 = 400;
        let mut quiet = 0;
        for _round in 0..MAX_ROUNDS {
            quiet = if self.round() { 0 } else { quiet + 1 };
            if quiet > 3 {
                return;
            }
        }
        panic!("nothing comes to rest: {:?}", self.desk);
    }

    /// Every effect and every printer once, without faults; whether anything moved.
    pub(crate) fn round(&mut self) -> bool {
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
        !is_idle || self.disk.events.len() != before
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
