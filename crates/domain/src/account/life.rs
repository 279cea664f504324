//! One job's steps as questions, answers and an end.

use loket_wire::{JobState, Reason, Timestamp};

use super::known::{Known, Step};
use super::lines::{Found, Outcome, SheetCount};

/// A question about a sheet: the machine could not know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// When it was asked.
    pub(super) asked: &'a Step,
    /// Why.
    pub(super) reason: Option<Reason>,
    /// What was answered.
    pub(super) answer: Option<(Found, &'a Step)>,
}

/// What became of a job.
#[derive(Debug, Clone)]
pub(super) struct Life<'a> {
    pub(super) known: &'a Known,
    first: &'a Step,
    pub(super) questions: Vec<Question<'a>>,
    /// The report that ended it, and the question that it answers.
    end: Option<(&'a Step, Option<usize>)>,
    released: Option<&'a Step>,
}

impl<'a> Life<'a> {
    /// Folds the steps; nothing of a job that no machine ever held. A report that only says again what was said counts
    /// for nothing.
    pub(super) fn of(known: &'a Known) -> Option<Self> {
        let mut life = Self {
            known,
            first: known.steps.first()?,
            questions: Vec::new(),
            end: None,
            released: None,
        };
        known.steps.iter().for_each(|step| life.take(step));
        Some(life)
    }

    fn take(&mut self, step: &'a Step) {
        match step.state {
            JobState::Unknown => self.ask(step),
            JobState::Printing if step.reason == Some(Reason::OfficerFoundNone) => {
                self.answer(Found::None, step);
            }
            JobState::Printing => {
                let is_release = step.by.is_some() && step.reason.is_none();
                if is_release && self.released.is_none() {
                    self.released = Some(step);
                }
            }
            JobState::Printed => self.end(step, Found::Whole),
            JobState::Failed if step.reason == Some(Reason::SheetDamaged) => {
                self.end(step, Found::Damaged);
            }
            JobState::Failed | JobState::Rejected | JobState::Expired | JobState::Cancelled => {
                self.end(step, Found::None);
            }
            JobState::Created
            | JobState::Offered
            | JobState::Fetching
            | JobState::Journalled
            | JobState::Held => {}
        }
    }

    fn ask(&mut self, step: &'a Step) {
        if self.open().is_none() {
            self.end = None;
            self.questions.push(Question {
                asked: step,
                reason: step.reason,
                answer: None,
            });
        }
    }

    fn open(&self) -> Option<usize> {
        let last = self.questions.len().checked_sub(1)?;
        let is_open = self.questions.get(last)?.answer.is_none();
        is_open.then_some(last)
    }

    fn answer(&mut self, found: Found, step: &'a Step) -> Option<usize> {
        let open = self.open()?;
        let question = self.questions.get_mut(open)?;
        question.answer = Some((found, step));
        Some(open)
    }

    /// The last end counts: a machine may put its own right.
    fn end(&mut self, step: &'a Step, found: Found) {
        let answered = self.answer(found, step);
        let again = self.end.and_then(|(_before, question)| question);
        self.end = Some((step, answered.or(again)));
    }

    /// How it ended.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let (end, _question) = self.end?;
        match end.state {
            JobState::Printed => Some(Outcome::Printed),
            JobState::Failed if end.reason == Some(Reason::SheetDamaged) => Some(Outcome::Spoiled),
            JobState::Failed => Some(Outcome::Failed),
            JobState::Rejected => Some(Outcome::Rejected),
            JobState::Expired => Some(Outcome::Expired),
            JobState::Cancelled => Some(Outcome::Cancelled),
            JobState::Created
            | JobState::Offered
            | JobState::Fetching
            | JobState::Journalled
            | JobState::Held
            | JobState::Printing
            | JobState::Unknown => None,
        }
    }

    /// The report that ended it.
    pub(super) fn ending(&self) -> Option<&'a Step> {
        self.end.map(|(end, _question)| end)
    }

    /// The question whose answer ended it.
    pub(super) fn doubt(&self) -> Option<&Question<'a>> {
        let (_end, question) = self.end?;
        self.questions.get(question?)
    }

    /// When it counts: when its sheet came out, else when it ended. Of a sheet that was asked about, the question is the
    /// first moment at which it was out.
    pub(super) fn settled(&self) -> Option<&'a Step> {
        let (end, _question) = self.end?;
        let has_sheet = matches!(self.outcome(), Some(Outcome::Printed | Outcome::Spoiled));
        match self.doubt() {
            Some(question) if has_sheet => Some(question.asked),
            Some(_) | None => Some(end),
        }
    }

    /// When the machine had it; never after it counted, whatever its clock said.
    pub(super) fn arrived_at(&self) -> Timestamp {
        let settled = self.settled().map(|step| step.at);
        settled.map_or(self.first.at, |at| at.min(self.first.at))
    }

    /// The sheets of its paper, and who counted them; none where there is no paper.
    pub(super) fn sheets(&self) -> (u32, SheetCount) {
        let has_sheet = matches!(self.outcome(), Some(Outcome::Printed | Outcome::Spoiled));
        let Some((end, _question)) = self.end.filter(|_end| has_sheet) else {
            return (0, SheetCount::None);
        };
        let pages = self.known.page_count;
        match (end.reason, end.sheet_count, pages) {
            (Some(_said), Some(count), _pages) => (count, SheetCount::Officer),
            (Some(_said), None, Some(pages)) => (pages, SheetCount::Officer),
            (None, Some(count), _pages) => (count, SheetCount::Printer),
            (None, None, Some(pages)) => (pages, SheetCount::Pages),
            (_any, None, None) => (0, SheetCount::Unknown),
        }
    }

    /// Where it stood when that moment came: the report that said so first. That a wish to call it off came too late is
    /// told to central alone.
    pub(super) fn standing(&self, until: Timestamp) -> &'a Step {
        let told = self.known.steps.iter().rev();
        let mut told =
            told.filter(|step| step.at < until && step.reason != Some(Reason::AlreadySending));
        let Some(last) = told.next() else {
            return self.first;
        };
        let is_same = |step: &&Step| (step.state, step.reason) == (last.state, last.reason);
        told.take_while(is_same).last().unwrap_or(last)
    }

    /// Who released it.
    pub(super) fn released_by(&self) -> Option<&'a str> {
        self.released?.by.as_deref()
    }

    /// Attempts at the printer.
    pub(super) fn attempt_count(&self) -> u32 {
        let attempts = self.known.steps.iter().filter_map(|step| step.attempt);
        attempts.max().unwrap_or(0)
    }
}
