//! Counts what was answered to people who had documents checked: numbers for health, and nothing of any document.

use std::sync::{Mutex, MutexGuard, PoisonError};

use loket_domain::verification::Verdict;
use loket_kiosk_ui::ports::Reader;
use loket_wire::Judged;

/// The counts since the program started.
#[derive(Debug, Default)]
pub struct JudgedTally(Mutex<Judged>);

impl JudgedTally {
    /// Counts one answer.
    pub fn answered(&self, reader: Reader, verdict: Verdict) {
        let mut judged = self.counts();
        let answers = match reader {
            Reader::Resident => &mut judged.kiosk,
            Reader::Officer => &mut judged.station,
        };
        let count = match verdict {
            Verdict::Valid => &mut answers.valid,
            Verdict::Invalid => &mut answers.invalid,
            Verdict::Indeterminate => &mut answers.indeterminate,
            Verdict::Paper => &mut answers.paper,
            Verdict::NotJudged => &mut answers.not_judged,
        };
        *count = count.saturating_add(1);
    }

    /// Counts a judging process that was killed.
    pub fn killed(&self) {
        let mut judged = self.counts();
        judged.killed = judged.killed.saturating_add(1);
    }

    /// What was counted; none while that is nothing.
    #[must_use]
    pub fn so_far(&self) -> Option<Judged> {
        let judged = *self.counts();
        (judged != Judged::default()).then_some(judged)
    }

    fn counts(&self) -> MutexGuard<'_, Judged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_counted_under_whom_it_was_given() {
        let tally = JudgedTally::default();
        assert_eq!(tally.so_far(), None);
        for (reader, verdict) in [
            (Reader::Resident, Verdict::Valid),
            (Reader::Resident, Verdict::Invalid),
            (Reader::Resident, Verdict::Valid),
            (Reader::Officer, Verdict::Indeterminate),
            (Reader::Officer, Verdict::Paper),
            (Reader::Officer, Verdict::NotJudged),
        ] {
            tally.answered(reader, verdict);
        }
        tally.killed();
        let counted = serde_json::to_value(tally.so_far()).unwrap();
        assert_eq!(
            counted,
            serde_json::json!({
                "kiosk": {"valid": 2, "invalid": 1},
                "station": {"indeterminate": 1, "paper": 1, "not_judged": 1},
                "killed": 1,
            })
        );
    }
}
