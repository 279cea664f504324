//! The account of one day.

use std::collections::BTreeMap;

use loket_wire::{Class, JobId, JobState, MachineId, Service, Timestamp, Zone};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::known::Known;
use super::life::{Life, Question};
use super::lines::{
    JobLine, OpenLine, Outcome, QuestionLine, ReprintLine, ServiceLine, SheetCount, SpoiledLine,
    Sums,
};
use crate::dispatch::LocalDay;

/// Version of the shape below.
const DAY_VERSION: u16 = 1;

/// Most documents of one day: one every seven seconds for eight hours, which no desk of people comes near. It keeps an
/// answer at the officer's door below its bound, and a report within a hundred pages.
pub const MAX_DAY_JOBS: usize = 4_000;

/// Whose day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    /// The station.
    pub machine: MachineId,
    /// The day of its office.
    pub day: LocalDay,
    /// The zone of its office, which says when a day begins.
    pub zone: Zone,
}

impl Of {
    /// The first moment of the day, and the first after it.
    #[must_use]
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let offset_minutes = self.zone.utc_offset_minutes();
        let start = self.day.start(offset_minutes);
        (start, self.day.next().start(offset_minutes))
    }
}

/// Why there is no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DayError {
    /// More than an account holds.
    #[error("account for a day of {jobs} documents: {MAX_DAY_JOBS} are the most")]
    TooMany {
        /// How many there are.
        jobs: usize,
    },
}

/// What a station did on one day of its office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Version of this shape; 1.
    pub v: u16,
    /// The station.
    pub machine: MachineId,
    /// The day.
    pub day: LocalDay,
    /// The zone that says when it began.
    pub zone: Zone,
    /// All of it as numbers.
    pub totals: Totals,
    /// By service, controlled documents before own papers.
    pub services: Vec<ServiceLine>,
    /// Documents that count on the day, in the order of their time.
    pub jobs: Vec<JobLine>,
    /// Of them the spoiled ones.
    pub spoiled: Vec<SpoiledLine>,
    /// Of them those that replace another on paper.
    pub reprints: Vec<ReprintLine>,
    /// Questions that were asked or answered on the day.
    pub questions: Vec<QuestionLine>,
    /// What was open when the day ended.
    pub open: Vec<OpenLine>,
}

/// A day as numbers. Each is the sum of lines that stand in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Documents that were certified elsewhere.
    pub controlled: Sums,
    /// Papers that Loket made: tickets, slips, test pages.
    pub own: Sums,
    /// Pages that keep the ink of printers from drying. They are for nobody, and stand in no sum beside this one.
    #[serde(default)]
    pub exercise: Sums,
    /// Documents of either kind that the machine held when the day began.
    pub carried_in: u32,
    /// Documents that it took on the day.
    pub arrived: u32,
    /// Documents that count on the day.
    pub settled: u32,
    /// Documents that it held when the day ended.
    pub carried_out: u32,
    /// Of those that count, given by hand.
    pub by_hand: u32,
    /// Of those that count, replacing another on paper.
    pub reprints: u32,
    /// Questions that were asked.
    pub questions_asked: u32,
    /// Questions that were answered, whenever they were asked.
    pub questions_answered: u32,
    /// Documents that it held when the day ended, and whose sheet may be out.
    pub sheets_in_doubt: u32,
    /// Documents with paper whose sheets nobody counted and whose pages are not known.
    pub uncounted: u32,
    /// Documents that count by a clock which no central had confirmed: some may belong to another day.
    pub by_untrusted_clock: u32,
    /// Jobs that may belong to the day and that the station cannot read: folded or written by another version of it.
    #[serde(default)]
    pub unread: u32,
}

impl Totals {
    /// All paper together, for whomever it was.
    #[must_use]
    pub const fn all(&self) -> Sums {
        self.controlled.plus(self.own).plus(self.exercise)
    }
}

/// Makes the account of a day of what is `known`: every job of the station that may count on it, in any order, and the
/// jobs that those replace. What belongs to other days is left out.
///
/// # Errors
/// [`DayError::TooMany`]
pub fn day(of: &Of, known: &[Known]) -> Result<Day, DayError> {
    let lives: BTreeMap<JobId, Life<'_>> = known
        .iter()
        .filter_map(|known| Some((known.job_id, Life::of(known)?)))
        .collect();
    let mut making = Making::of(of);
    for life in lives.values() {
        making.take(life, &lives);
    }
    making.done()
}

struct Making {
    start: Timestamp,
    end: Timestamp,
    day: Day,
    services: BTreeMap<(bool, Service), (Class, Sums)>,
}

impl Making {
    fn of(of: &Of) -> Self {
        let (start, end) = of.span();
        Self {
            start,
            end,
            day: Day {
                v: DAY_VERSION,
                machine: of.machine.clone(),
                day: of.day,
                zone: of.zone,
                totals: Totals::default(),
                services: Vec::new(),
                jobs: Vec::new(),
                spoiled: Vec::new(),
                reprints: Vec::new(),
                questions: Vec::new(),
                open: Vec::new(),
            },
            services: BTreeMap::new(),
        }
    }

    fn has(&self, at: Timestamp) -> bool {
        (self.start..self.end).contains(&at)
    }

    fn take(&mut self, life: &Life<'_>, lives: &BTreeMap<JobId, Life<'_>>) {
        let arrived_at = life.arrived_at();
        let settled_at = life.settled().map(|step| step.at);
        let is_settled_before = |moment| settled_at.is_some_and(|at| at < moment);
        let totals = &mut self.day.totals;
        if arrived_at < self.start && !is_settled_before(self.start) {
            grow(&mut totals.carried_in);
        }
        if (self.start..self.end).contains(&arrived_at) {
            grow(&mut totals.arrived);
        }
        if arrived_at < self.end && !is_settled_before(self.end) {
            self.leave_open(life);
        }
        if settled_at.is_some_and(|at| self.has(at)) {
            self.settle(life, lives);
        }
        for question in &life.questions {
            self.ask(life.known, question);
        }
    }

    fn settle(&mut self, life: &Life<'_>, lives: &BTreeMap<JobId, Life<'_>>) {
        let (Some(outcome), Some(step), Some(ending)) =
            (life.outcome(), life.settled(), life.ending())
        else {
            return;
        };
        let known = life.known;
        let (sheets, counted_by) = life.sheets();
        self.count(known, outcome, (sheets, counted_by));
        if !step.clock_trusted {
            grow(&mut self.day.totals.by_untrusted_clock);
        }
        self.day.jobs.push(JobLine {
            at: step.at,
            clock_trusted: step.clock_trusted,
            job_id: known.job_id,
            reference: known.reference.clone(),
            service: known.service.clone(),
            class: known.class,
            ordered: known.ordered.clone(),
            outcome,
            reason: ending.reason,
            sheets,
            counted_by,
            attempt_count: life.attempt_count(),
            released_by: life.released_by().map(str::to_owned),
            ended_by: ending.by.clone(),
            is_reprint: known.reprint.is_some(),
        });
        if outcome == Outcome::Spoiled {
            self.day.spoiled.push(SpoiledLine {
                at: step.at,
                job_id: known.job_id,
                reference: known.reference.clone(),
                sheets,
                asked_because: life.doubt().and_then(|question| question.reason),
                said_by: ending.by.clone(),
                said_at: ending.at,
            });
        }
        if let Some(reprint) = &known.reprint {
            let earlier = lives.get(&reprint.job);
            let said = earlier.and_then(Life::ending);
            grow(&mut self.day.totals.reprints);
            self.day.reprints.push(ReprintLine {
                at: step.at,
                job_id: known.job_id,
                reference: known.reference.clone(),
                outcome,
                replaces: reprint.job,
                because: reprint.reason.clone(),
                ordered_by: reprint.by.clone(),
                earlier: earlier.and_then(Life::outcome),
                earlier_by: said.and_then(|said| said.by.clone()),
            });
        }
    }

    fn count(&mut self, known: &Known, outcome: Outcome, (sheets, counted_by): (u32, SheetCount)) {
        let totals = &mut self.day.totals;
        let is_own = known.class == Class::Own;
        let sums = if known.is_exercise() {
            &mut totals.exercise
        } else if is_own {
            &mut totals.own
        } else {
            &mut totals.controlled
        };
        sums.count(outcome, sheets);
        grow(&mut totals.settled);
        if matches!(known.ordered, super::known::Ordered::ByHand { .. }) {
            grow(&mut totals.by_hand);
        }
        if counted_by == SheetCount::Unknown {
            grow(&mut totals.uncounted);
        }
        let of_service = self
            .services
            .entry((is_own, known.service.clone()))
            .or_insert((known.class, Sums::default()));
        of_service.1.count(outcome, sheets);
    }

    fn leave_open(&mut self, life: &Life<'_>) {
        let known = life.known;
        let step = life.standing(self.end);
        let totals = &mut self.day.totals;
        grow(&mut totals.carried_out);
        if step.state == JobState::Unknown {
            grow(&mut totals.sheets_in_doubt);
        }
        self.day.open.push(OpenLine {
            since: step.at,
            clock_trusted: step.clock_trusted,
            job_id: known.job_id,
            reference: known.reference.clone(),
            service: known.service.clone(),
            state: step.state,
            reason: step.reason,
        });
    }

    fn ask(&mut self, known: &Known, question: &Question<'_>) {
        let answered_at = question.answer.map(|(_found, step)| step.at);
        let is_asked = self.has(question.asked.at);
        let is_answered = answered_at.is_some_and(|at| self.has(at));
        if !is_asked && !is_answered {
            return;
        }
        let totals = &mut self.day.totals;
        if is_asked {
            grow(&mut totals.questions_asked);
        }
        if is_answered {
            grow(&mut totals.questions_answered);
        }
        self.day.questions.push(QuestionLine {
            asked_at: question.asked.at,
            clock_trusted: question.asked.clock_trusted,
            job_id: known.job_id,
            reference: known.reference.clone(),
            reason: question.reason,
            found: question.answer.map(|(found, _step)| found),
            answered_by: question.answer.and_then(|(_found, step)| step.by.clone()),
            answered_at,
        });
    }

    fn done(self) -> Result<Day, DayError> {
        let Self {
            mut day, services, ..
        } = self;
        let jobs = day.jobs.len().max(day.open.len()).max(day.questions.len());
        if jobs > MAX_DAY_JOBS {
            return Err(DayError::TooMany { jobs });
        }
        let line = |((_is_own, service), (class, sums))| ServiceLine {
            service,
            class,
            sums,
        };
        day.services = services.into_iter().map(line).collect();
        day.jobs.sort_by_key(|line| (line.at, line.job_id));
        day.spoiled.sort_by_key(|line| (line.at, line.job_id));
        day.reprints.sort_by_key(|line| (line.at, line.job_id));
        day.questions
            .sort_by_key(|line| (line.asked_at, line.job_id));
        day.open.sort_by_key(|line| (line.since, line.job_id));
        Ok(day)
    }
}

/// A day has no more than [`MAX_DAY_JOBS`].
const fn grow(count: &mut u32) {
    *count = count.saturating_add(1);
}
