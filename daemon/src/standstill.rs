//! A fault that each try meets again: it is told when it begins, when it changes, and when it is over.
//!
//! What waits for a full disk is tried every second, for days perhaps; a line a try would hide what else happens, and
//! fill the disk that it complains of.

use std::sync::{Mutex, PoisonError};

/// What keeps something from going on, as it was told last.
#[derive(Debug, Default)]
pub struct Standstill(Mutex<Option<String>>);

impl Standstill {
    /// Notes what a try met; true when it is news.
    #[must_use]
    pub fn begins(&self, why: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.as_deref() != Some(why);
        *told = Some(why.to_owned());
        is_news
    }

    /// Notes that a try came through; true when one before did not.
    #[must_use]
    pub fn ends(&self) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_news_once_until_it_changes_or_is_over() {
        let standstill = Standstill::default();
        assert!(!standstill.ends(), "nothing stood still");
        let news: Vec<bool> = ["full", "full", "crowded", "full"]
            .map(|why| standstill.begins(why))
            .to_vec();
        assert_eq!(news, [true, false, true, true]);
        assert!(standstill.ends() && !standstill.ends());
        assert!(standstill.begins("full"), "another time");
    }
}
