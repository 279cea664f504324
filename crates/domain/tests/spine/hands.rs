//! What a machine does for its desk: effects that run, fail, are late, lost or done twice.

use std::time::Duration;

use loket_domain::core::Core as _;
use loket_domain::print::{
    Action, Command, Effect, EffectId, Job, RemoteJob, Revision, Stage, Verification, What,
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

/// What is known of a document that was sent.
enum Sending {
    Taken,
    NotTaken,
    Unclear,
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
        if way == Way::Twice && is_repeatable(&effect) {
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
            | Command::Waits { job, attempt, .. }
            | Command::SendNotTaken { job, attempt }
            | Command::CancelTried { job, attempt }
            | Command::CreateUnclear { job, attempt }
            | Command::Prepared { job, attempt, .. }
            | Command::Sent { job, attempt }
            | Command::JobTaken { job, attempt, .. }
            | Command::JobRefused { job, attempt, .. }
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
            Action::Shred { .. } => (way != Way::AnswerLost).then_some(Command::Shredded { job }),
            Action::Create { printer, name } => self.create(effect, printer, name, way),
            Action::Send {
                printer,
                remote,
                revision,
                ..
            } => {
                self.check_send(job, attempt, remote);
                let sent = self.send(printer, remote, *revision, way);
                Some(match sent {
                    Sending::Taken => Command::Sent { job, attempt },
                    Sending::NotTaken => Command::SendNotTaken { job, attempt },
                    Sending::Unclear => Command::SendUnclear { job, attempt },
                })
            }
            Action::Print {
                printer,
                name,
                revision,
                ..
            } => {
                self.check_print(job, attempt);
                Some(self.print(effect, (printer, name), *revision, way))
            }
            Action::Survey { .. }
            | Action::Locate { .. }
            | Action::Cancel { .. }
            | Action::Look { .. } => self.ask_printer(effect, way),
        }
    }

    fn ask_printer(&mut self, effect: &Effect, way: Way) -> Option<Command> {
        let (job, attempt) = (effect.id.job, effect.id.attempt);
        let away = Command::Waits {
            job,
            attempt,
            reason: Reason::PrinterAway,
        };
        let sighting = match &effect.action {
            Action::Survey { printer } => {
                let Ok(survey) = self.printer(printer).survey() else {
                    return Some(away);
                };
                let printer = printer.clone();
                return Some(Command::Surveyed {
                    job,
                    printer,
                    survey,
                });
            }
            Action::Cancel { printer, remote } => {
                if way != Way::RequestLost {
                    self.printer(printer).cancel(remote);
                }
                return Some(Command::CancelTried { job, attempt });
            }
            Action::Locate { printer, name } => self.printer(printer).locate(name),
            Action::Look { printer, remote } => self.printer(printer).look(remote),
            Action::Fetch { .. }
            | Action::Verify { .. }
            | Action::Prepare { .. }
            | Action::Create { .. }
            | Action::Send { .. }
            | Action::Print { .. }
            | Action::Shred { .. } => return None,
        };
        Some(sighting.map_or(away, |sighting| Command::Sighted {
            job,
            attempt,
            sighting,
        }))
    }

    fn create(&mut self, effect: &Effect, printer: &str, name: &str, way: Way) -> Option<Command> {
        let (job, attempt) = (effect.id.job, effect.id.attempt);
        let lost = Some(Command::CreateUnclear { job, attempt });
        match way {
            Way::RequestLost | Way::Torn => return lost,
            Way::Late => {
                self.printer(printer).create_late(name);
                return lost;
            }
            Way::Good | Way::Twice | Way::AnswerLost => {}
        }
        let waits = |reason| {
            Some(Command::Waits {
                job,
                attempt,
                reason,
            })
        };
        match self.printer(printer).create(name) {
            Ok(_remote) if way == Way::AnswerLost => lost,
            Ok(remote) => Some(Command::Created {
                job,
                attempt,
                remote,
                unsupported: Vec::new(),
            }),
            Err(No::Away) => waits(Reason::PrinterAway),
            Err(No::Busy) => waits(Reason::PrinterBusy),
            Err(No::Never) => Some(Command::CreateRefused { job, attempt }),
        }
    }

    fn print(
        &mut self,
        effect: &Effect,
        (printer, name): (&str, &str),
        revision: Revision,
        way: Way,
    ) -> Command {
        let (job, attempt) = (effect.id.job, effect.id.attempt);
        let printer = self.printer(printer);
        match way {
            Way::Good | Way::Twice => match printer.print(name, revision) {
                Ok(remote) => Command::JobTaken {
                    job,
                    attempt,
                    remote,
                    unsupported: Vec::new(),
                },
                Err(No::Away) => Command::SendNotTaken { job, attempt },
                Err(no) => Command::JobRefused {
                    job,
                    attempt,
                    is_for_good: no == No::Never,
                },
            },
            Way::AnswerLost => {
                drop(printer.print(name, revision));
                Command::SendUnclear { job, attempt }
            }
            Way::Torn => {
                printer.print_torn(name, revision);
                Command::SendUnclear { job, attempt }
            }
            Way::Late => {
                printer.print_late(name, revision);
                Command::SendUnclear { job, attempt }
            }
            Way::RequestLost => Command::SendNotTaken { job, attempt },
        }
    }

    fn send(&mut self, printer: &str, remote: &RemoteJob, revision: Revision, way: Way) -> Sending {
        let printer = self.printer(printer);
        match way {
            Way::Good | Way::Twice => match printer.send(remote, revision) {
                Ok(()) => Sending::Taken,
                Err(_no) => Sending::NotTaken,
            },
            Way::AnswerLost => {
                drop(printer.send(remote, revision));
                Sending::Unclear
            }
            Way::Torn => {
                printer.send_torn(remote, revision);
                Sending::Unclear
            }
            Way::Late => {
                printer.send_late(remote, revision);
                Sending::Unclear
            }
            Way::RequestLost => Sending::NotTaken,
        }
    }

    /// Faults stop: everything is reachable, and effects and printers run until nothing moves.
    pub(crate) fn settle(&mut self) {
        self.settle_though(Way::Good);
    }

    /// The same while every request to a printer fares badly.
    pub(crate) fn settle_though(&mut self, way: Way) {
        const MAX_ROUNDS: u32 = 2_000;
        let mut quiet = 0;
        for _round in 0..MAX_ROUNDS {
            quiet = if self.round_though(way) { 0 } else { quiet + 1 };
            if quiet > 3 {
                return;
            }
        }
        panic!("nothing comes to rest: {:?}", self.desk);
    }

    /// Every effect and every printer once, without faults; whether anything moved.
    pub(crate) fn round(&mut self) -> bool {
        self.round_though(Way::Good)
    }

    fn round_though(&mut self, way: Way) -> bool {
        let before = self.disk.events.len();
        for printer in self.printers.values_mut() {
            printer.is_on = true;
            printer.arrive();
        }
        while self.start(0).is_some() {}
        while self.has_asked() {
            self.perform(0, way);
        }
        self.tell_time();
        while self.deliver(0).is_some() {}
        for printer in self.printers.values_mut() {
            printer.work();
        }
        drop(self.submit(Command::Tick));
        let is_idle = self.printers.values().all(Printer::is_idle);
        !is_idle || self.disk.events.len() != before || self.wait()
    }

    /// Nothing moves: time goes on to where the desk wants to be asked, or a minute while it waits for a printer.
    fn wait(&mut self) -> bool {
        let is_waiting = |job: &Job| {
            matches!(
                job.stage,
                Stage::Released | Stage::Clearing(_) | Stage::Attempting(_)
            )
        };
        if !self.desk.jobs().any(is_waiting) {
            return false;
        }
        let minute = self.now.wall.saturating_add(Duration::from_secs(60));
        let wake = self.desk.wake_at(self.now);
        self.now.wall = wake.map_or(minute, |wake| wake.min(minute));
        true
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
        self.check_alone(job, Some(remote));
    }

    /// The same where the job comes with its document.
    fn check_print(&self, job: JobId, attempt: u32) {
        let whats = self.disk.events.iter().filter(|event| event.job_id == job);
        let last = whats
            .map(|event| &event.what)
            .rfind(|what| matches!(what, What::AttemptStarted { .. } | What::SendingBegan));
        assert_eq!(
            last,
            Some(&What::SendingBegan),
            "the sending of attempt {attempt} is on disk before the first byte leaves"
        );
        self.check_alone(job, None);
    }

    fn check_alone(&self, job: JobId, remote: Option<&RemoteJob>) {
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

/// What the effect's documentation allows to happen twice: all but Create-Job, Send-Document and Print-Job.
const fn is_repeatable(effect: &Effect) -> bool {
    !matches!(
        effect.action,
        Action::Create { .. } | Action::Send { .. } | Action::Print { .. }
    )
}
