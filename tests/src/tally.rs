//! Kills and what came of them, told to the command that runs the tests: `cargo xtask test` and `crash` add them up.

use std::sync::atomic::{AtomicU64, Ordering};

use loket_fuzz::tally::tell;

/// Kills of one crash test, and what became of its documents. Written when it is dropped, so that a test that fails
/// tells too.
#[derive(Debug, Default)]
pub struct Crashes {
    counts: Counts,
    /// The printer of the matrix before which it all happened.
    printer: Option<&'static str>,
}

/// The bare numbers, which tell nobody.
#[derive(Debug, Default)]
struct Counts {
    kills: AtomicU64,
    printed: AtomicU64,
    lost: AtomicU64,
    double: AtomicU64,
    unknown: AtomicU64,
    excused: AtomicU64,
    cuts: AtomicU64,
}

impl Crashes {
    /// Of a row of the crash matrix: before this printer.
    #[must_use]
    pub fn at(printer: &'static str) -> Self {
        Self {
            counts: Counts::default(),
            printer: Some(printer),
        }
    }

    /// The printer lost its power.
    pub fn cut(&self) {
        self.counts.cuts.fetch_add(1, Ordering::Relaxed);
    }

    /// An officer was asked; `is_excused` where the printer had lost its power meanwhile, or takes a job only with its
    /// document.
    pub fn asked(&self, is_excused: bool) {
        self.counts.job("unknown");
        if is_excused {
            self.counts.excused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A daemon was killed.
    pub fn kill(&self) {
        self.counts.kills.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were killed so far.
    #[must_use]
    pub fn kills(&self) -> u64 {
        self.counts.kills.load(Ordering::Relaxed)
    }

    /// All of it in words: `kills=1 printed=1 …`.
    #[must_use]
    pub fn words(&self) -> String {
        self.counts.words()
    }

    /// What became of a job once everything is up again.
    pub fn job(&self, state: &str) {
        self.counts.job(state);
    }

    /// How many sheets came out of one printer for so many documents that count as printed.
    pub fn sheets(&self, sheets: u64, documents: u64) {
        self.counts.sheets(sheets, documents);
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

    fn words(&self) -> String {
        let counts = [
            ("kills", &self.kills),
            ("printed", &self.printed),
            ("lost", &self.lost),
            ("double", &self.double),
            ("unknown", &self.unknown),
            ("excused", &self.excused),
        ];
        let words = counts.map(|(name, count)| format!("{name}={}", count.load(Ordering::Relaxed)));
        words.join(" ")
    }
}

impl Drop for Crashes {
    fn drop(&mut self) {
        let words = self.counts.words();
        tell(&format!("crash {words}"));
        if let Some(printer) = self.printer {
            let cuts = self.counts.cuts.load(Ordering::Relaxed);
            tell(&format!("matrix {printer} {words} cuts={cuts}"));
        }
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
            crashes.words(),
            "kills=3 printed=2 lost=3 double=1 unknown=1 excused=0"
        );
    }
}
