//! Kills and what came of them, told to the command that runs the tests: `cargo xtask test` and `crash` add them up.

use std::sync::atomic::{AtomicU64, Ordering};

use loket_fuzz::tally::tell;

/// Kills of one crash test, and what became of its documents. Written when it is dropped, so that a test that fails
/// tells too.
#[derive(Debug, Default)]
pub struct Crashes(Counts);

/// The bare numbers, which tell nobody.
#[derive(Debug, Default)]
struct Counts {
    kills: AtomicU64,
    printed: AtomicU64,
    lost: AtomicU64,
    double: AtomicU64,
    unknown: AtomicU64,
}

impl Crashes {
    /// A daemon was killed.
    pub fn kill(&self) {
        self.0.kills.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were killed so far.
    #[must_use]
    pub fn kills(&self) -> u64 {
        self.0.kills.load(Ordering::Relaxed)
    }

    /// What became of a job once everything is up again.
    pub fn job(&self, state: &str) {
        self.0.job(state);
    }

    /// How many sheets came out of one printer for so many documents that count as printed.
    pub fn sheets(&self, sheets: u64, documents: u64) {
        self.0.sheets(sheets, documents);
    }
}

impl Counts {
    fn job(&self, state: &str) {
        let count = match state {
            "printed" => &self.printed,
            "unknown" => &self.unknown,
            _any_other => &self.lost,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn sheets(&self, sheets: u64, documents: u64) {
        let more = sheets.saturating_sub(documents);
        self.double.fetch_add(more, Ordering::Relaxed);
        let fewer = documents.saturating_sub(sheets);
        self.lost.fetch_add(fewer, Ordering::Relaxed);
    }

    fn line(&self) -> String {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        format!(
            "crash kills={} printed={} lost={} double={} unknown={}",
            of(&self.kills),
            of(&self.printed),
            of(&self.lost),
            of(&self.double),
            of(&self.unknown),
        )
    }
}

impl Drop for Crashes {
    fn drop(&mut self) {
        tell(&self.0.line());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fate_has_its_count() {
        // No Crashes: its numbers would be added to those of the run.
        let crashes = Counts {
            kills: AtomicU64::new(3),
            ..Counts::default()
        };
        for state in ["printed", "printed", "unknown", "failed", "created"] {
            crashes.job(state);
        }
        crashes.sheets(3, 2);
        crashes.sheets(1, 2);
        assert_eq!(
            crashes.line(),
            "crash kills=3 printed=2 lost=3 double=1 unknown=1"
        );
    }
}
