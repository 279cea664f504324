//! Central as a model: jobs, the lives of journals, and what follows a report, a sync or a wish.
//!
//! It composes `domain::dispatch` in memory as the store does in SQLite, each call one transaction.

#[path = "syncs.rs"]
mod syncs;

use std::collections::BTreeMap;

use loket_domain::account::Said;
use loket_domain::dispatch::{
    Answer, Change, Doubt, Ingest, Input, Job, MachineCopy, Met, Place, Stream, apply, decide, meet,
};
use loket_wire::{Epoch, JobId, JobReport, LocalJob, MachineId, Timestamp};

use crate::machine::Row;

/// A job and the envelope it was last sealed in.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) job: Job,
    pub(crate) machine_no: usize,
    pub(crate) envelope: Option<(Epoch, u8)>,
    /// What was written of it.
    pub(crate) history: Vec<Said>,
}

impl Kept {
    const fn new(job: Job, machine_no: usize) -> Self {
        Self {
            job,
            machine_no,
            envelope: None,
            history: Vec::new(),
        }
    }

    /// Applies changes as they come back from their disk form.
    fn change(&mut self, now: Timestamp, actor: &str, changes: &[Change]) {
        for change in changes {
            let read = Change::from_json(&change.to_json().unwrap()).unwrap();
            assert_eq!(&read, change, "a change survives its disk form");
            apply(&mut self.job, now, &read);
            self.history.push(Said {
                at: now,
                actor: actor.to_owned(),
                change: read,
            });
        }
    }
}

/// What central knows of one machine.
#[derive(Debug, Clone, Default)]
struct Known {
    /// Lives of its journal, oldest first.
    lives: Vec<Stream>,
    marks: BTreeMap<(u64, u64), String>,
    /// A report of the present life differed from the committed one of its number.
    doubt: Option<Doubt>,
    overlap: Option<(u64, u64)>,
    /// Asked again once reports are through up to here: a sync before named a job that is over.
    relist_seq: Option<u64>,
    /// Where earlier reports were missing when the machine was asked for that.
    ahead_seq: Option<(u64, u64)>,
    /// What its sync must echo to be an answer, and since when.
    asked: Option<(u64, Timestamp)>,
    last_command_seq: u64,
}

impl Known {
    fn hello(&self) -> Option<u64> {
        self.asked.map(|(drawn, _at)| drawn)
    }
}

/// An order or a question for a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Order {
        job: JobId,
        epoch: Epoch,
        seq: u64,
        envelope: u8,
    },
    Cancel {
        job: JobId,
        seq: u64,
    },
    Ack {
        epoch: Epoch,
        seq: u64,
        hello: Option<u64>,
    },
}

/// Central's truth; a clone is a backup.
#[derive(Debug, Clone)]
pub(crate) struct Central {
    pub(crate) jobs: BTreeMap<JobId, Kept>,
    machines: Vec<Known>,
    /// Numbers drawn for questions: never one twice, whatever a backup says.
    drawn: u64,
}

impl Central {
    pub(crate) fn new(machine_count: usize) -> Self {
        Self {
            jobs: BTreeMap::new(),
            machines: vec![Known::default(); machine_count],
            drawn: 0,
        }
    }

    /// Central starts anew from `backup`; what it asked was in its memory alone.
    pub(crate) fn restore(&mut self, backup: &Self) {
        let drawn = self.drawn;
        *self = backup.clone();
        self.drawn = drawn;
        for known in &mut self.machines {
            known.asked = None;
        }
    }

    pub(crate) fn create(
        &mut self,
        job: JobId,
        machine_no: usize,
        until: Timestamp,
        now: Timestamp,
    ) {
        let made = Job::created(job, machine_id(machine_no), until, now);
        let kept = Kept::new(made, machine_no);
        self.jobs.entry(job).or_insert(kept);
    }

    /// How far a machine's present journal is committed.
    pub(crate) fn stream(&self, machine_no: usize) -> Stream {
        self.machines[machine_no]
            .lives
            .last()
            .copied()
            .unwrap_or_default()
    }

    /// Every job of the machine that is due, sealed anew where it must be.
    pub(crate) fn offer(
        &mut self,
        machine_no: usize,
        now: Timestamp,
        sealed: &mut u8,
    ) -> Vec<Told> {
        let Some(epoch) = self.stream(machine_no).epoch else {
            return Vec::new();
        };
        let mut told = Vec::new();
        let known = &mut self.machines[machine_no];
        let of_machine = |kept: &&mut Kept| kept.machine_no == machine_no;
        for kept in self.jobs.values_mut().filter(of_machine) {
            let seq = known.last_command_seq + 1;
            let Ok(changes) = decide(
                &kept.job,
                now,
                Input::Offer {
                    epoch,
                    command_seq: seq,
                },
            ) else {
                continue;
            };
            let envelope = match kept.envelope {
                Some((bound, envelope)) if bound == epoch && kept.job.epoch == Some(epoch) => {
                    envelope
                }
                _none_that_binds => {
                    *sealed = sealed.wrapping_add(1);
                    *sealed
                }
            };
            known.last_command_seq = seq;
            kept.envelope = Some((epoch, envelope));
            kept.change(now, "central", &changes);
            told.push(Told::Order {
                job: kept.job.id,
                epoch,
                seq,
                envelope,
            });
        }
        told
    }

    /// Whether the sealed document is served to the machine.
    pub(crate) fn serves(&self, job: JobId, now: Timestamp) -> bool {
        let asked = |kept: &Kept| decide(&kept.job, now, Input::DocumentAsked).is_ok();
        self.jobs.get(&job).is_some_and(asked)
    }

    /// A machine asked for the document; noted before it is served.
    pub(crate) fn note_asked(&mut self, job: JobId, now: Timestamp) {
        if let Some(kept) = self.jobs.get_mut(&job) {
            let changes = decide(&kept.job, now, Input::DocumentAsked).unwrap_or_default();
            kept.change(now, "central", &changes);
        }
    }

    pub(crate) fn cancel(&mut self, job: JobId, now: Timestamp) -> Option<(usize, Told)> {
        let kept = self.jobs.get_mut(&job)?;
        let seq = draw(&mut self.machines[kept.machine_no]);
        let changes = decide(&kept.job, now, Input::CancelAsked { command_seq: seq }).ok()?;
        kept.change(now, "central", &changes);
        kept.job
            .cancel_asked
            .then_some((kept.machine_no, Told::Cancel { job, seq }))
    }

    /// Somebody looked for the sheet of a job whose journal is lost; true where it was taken that there is none.
    pub(crate) fn answer(&mut self, job: JobId, pages: u32, now: Timestamp) -> bool {
        let answer = if pages > 0 {
            Answer::Printed
        } else {
            Answer::FoundNone
        };
        if let Some(kept) = self.jobs.get_mut(&job)
            && let Ok(changes) = decide(&kept.job, now, Input::Answered(answer))
        {
            kept.change(now, "central", &changes);
            return answer == Answer::FoundNone;
        }
        false
    }

    /// Machines are asked again, as a bell is rung again, about what they owe an answer for.
    pub(crate) fn ask_again(&mut self, machine_no: usize, now: Timestamp) -> Vec<Told> {
        let is_due = |kept: &&Kept| {
            let job = &kept.job;
            kept.machine_no == machine_no && job.is_to_be_asked() && job.next_ask_at <= now
        };
        let due = self.jobs.values().filter(is_due);
        let due: Vec<(JobId, bool)> = due
            .map(|kept| (kept.job.id, kept.job.copy.is_some()))
            .collect();
        let mut told = Vec::new();
        for (job, is_lost) in due {
            told.push(self.ask_cancel(machine_no, job, now));
            if is_lost {
                self.ask_for_sync(machine_no, now);
            }
        }
        if !told.is_empty() {
            told.extend(self.ack(machine_no));
        }
        told
    }

    fn ask_for_sync(&mut self, machine_no: usize, now: Timestamp) {
        self.drawn += 1;
        let question = (self.drawn, now);
        self.machines[machine_no].asked.get_or_insert(question);
    }

    pub(crate) fn tick(&mut self, now: Timestamp) {
        for kept in self.jobs.values_mut() {
            let changes = decide(&kept.job, now, Input::Tick).unwrap();
            kept.change(now, "central", &changes);
        }
    }

    /// One report. Answers what to tell the machine.
    pub(crate) fn report(
        &mut self,
        machine_no: usize,
        (epoch, seq): (Epoch, u64),
        row: &Row,
        now: Timestamp,
    ) -> Vec<Told> {
        let present = self.stream(machine_no);
        let is_another = self.is_another(machine_no, &present, seq, row);
        let known = &mut self.machines[machine_no];
        if present.epoch == Some(epoch) && (known.doubt.is_some() || is_another) {
            if is_another {
                known.doubt = Some(Doubt::with(known.doubt, seq, known.overlap));
            }
            self.ask_for_sync(machine_no, now);
            return self.ack(machine_no).into_iter().collect();
        }
        match present.ingest(epoch, seq) {
            Ingest::OtherEpoch => {
                let lives = &self.machines[machine_no].lives;
                let past = lives
                    .iter()
                    .rev()
                    .find(|life| life.epoch == Some(epoch))
                    .copied();
                let mut told = match past {
                    Some(past) => self.take(machine_no, past.ingest(epoch, seq), row, now),
                    None => Vec::new(),
                };
                told.retain(|told| !matches!(told, Told::Ack { .. }));
                told
            }
            Ingest::Ahead { expected_seq } => {
                let known = &mut self.machines[machine_no];
                let place = Some((present.generation, expected_seq));
                if present.epoch.is_some() && known.ahead_seq != place {
                    known.ahead_seq = place;
                    self.ask_for_sync(machine_no, now);
                }
                self.ack(machine_no).into_iter().collect()
            }
            ingest @ (Ingest::Commit { .. } | Ingest::Duplicate) => {
                let known = &mut self.machines[machine_no];
                if let (Ingest::Duplicate, Some((from, to))) = (ingest, known.overlap)
                    && from == seq
                {
                    known.overlap = (seq < to).then_some((seq + 1, to));
                }
                self.take(machine_no, ingest, row, now)
            }
        }
    }

    fn take(&mut self, machine_no: usize, ingest: Ingest, row: &Row, now: Timestamp) -> Vec<Told> {
        let mut told = Vec::new();
        if let Ingest::Commit { stream, place } = ingest {
            let known = &mut self.machines[machine_no];
            known
                .marks
                .entry((place.generation, place.seq))
                .or_insert_with(|| row.mark());
            save(known, stream);
            if known
                .relist_seq
                .is_some_and(|seq| stream.committed_seq >= seq)
            {
                known.relist_seq = None;
                self.ask_for_sync(machine_no, now);
            }
            if let Row::Job(report) = row {
                told.extend(self.read(machine_no, place, report, now));
            }
        }
        told.extend(self.ack(machine_no));
        told
    }

    fn read(
        &mut self,
        machine_no: usize,
        place: Place,
        report: &JobReport,
        now: Timestamp,
    ) -> Option<Told> {
        let kept = self.meet(machine_no, report.job_id, report.local.as_deref(), now)?;
        let before = kept.job.clone();
        let changes = decide(&before, now, Input::Reported { place, report }).ok()?;
        kept.change(now, &reported_by(machine_no, report), &changes);
        let is_woken = before.state.is_end() && !kept.job.state.is_end();
        let is_held = kept.job.copy == Some(MachineCopy::Held);
        let is_copy_new = is_held && before.copy != kept.job.copy;
        let is_copy_alive = changes
            .iter()
            .any(|change| matches!(change, Change::Reported { .. }))
            && before.reported.is_some_and(|last| place < last);
        (is_woken || is_copy_new || is_copy_alive)
            .then(|| self.ask_cancel(machine_no, report.job_id, now))
    }

    /// The job that the machine speaks of, where it is that machine's; one given to it by hand begins here.
    fn meet(
        &mut self,
        machine_no: usize,
        id: JobId,
        local: Option<&LocalJob>,
        now: Timestamp,
    ) -> Option<&mut Kept> {
        let known = self.jobs.get(&id).map(|kept| &kept.job);
        if let Met::GivenByHand { job, change: begun } =
            meet(known, &machine_id(machine_no), id, local, now).ok()?
        {
            let mut kept = Kept::new(*job, machine_no);
            kept.change(now, "central", &[begun]);
            self.jobs.insert(id, kept);
        }
        self.jobs.get_mut(&id)
    }

    fn ask_cancel(&mut self, machine_no: usize, job: JobId, now: Timestamp) -> Told {
        let seq = draw(&mut self.machines[machine_no]);
        let kept = self.jobs.get_mut(&job).unwrap();
        let changes = decide(&kept.job, now, Input::CancelAgain { command_seq: seq }).unwrap();
        kept.change(now, "central", &changes);
        Told::Cancel { job, seq }
    }

    fn ack(&self, machine_no: usize) -> Option<Told> {
        let stream = self.stream(machine_no);
        let known = &self.machines[machine_no];
        let seq = match (known.doubt, known.overlap) {
            (Some(_doubt), _) => 0,
            (None, Some((from, _to))) => from - 1,
            (None, None) => stream.committed_seq,
        };
        let hello = known.hello();
        stream.epoch.map(|epoch| Told::Ack { epoch, seq, hello })
    }

    fn is_another(&self, machine_no: usize, present: &Stream, seq: u64, row: &Row) -> bool {
        let marks = &self.machines[machine_no].marks;
        let kept = marks.get(&(present.generation, seq));
        kept.is_some_and(|kept| *kept != row.mark())
    }

    fn lose_journal(&mut self, machine_no: usize, stream: &Stream, now: Timestamp) {
        save(&mut self.machines[machine_no], *stream);
        let of_machine = |kept: &&mut Kept| kept.machine_no == machine_no;
        for kept in self.jobs.values_mut().filter(of_machine) {
            let changes = decide(&kept.job, now, Input::JournalLost).unwrap();
            kept.change(now, "central", &changes);
        }
    }
}

pub(crate) fn machine_id(no: usize) -> MachineId {
    format!("desa-{no}").parse().unwrap()
}

fn draw(known: &mut Known) -> u64 {
    known.last_command_seq += 1;
    known.last_command_seq
}

fn save(known: &mut Known, stream: Stream) {
    match known
        .lives
        .iter_mut()
        .find(|life| life.generation == stream.generation)
    {
        Some(life) => *life = stream,
        None => known.lives.push(stream),
    }
}

/// Who did it, as the history names them.
fn reported_by(machine_no: usize, report: &JobReport) -> String {
    let machine = machine_id(machine_no);
    let machine = machine.as_str();
    let name = report.actor.as_ref();
    name.map_or_else(
        || format!("machine:{machine}"),
        |name| format!("{name}@{machine}"),
    )
}
