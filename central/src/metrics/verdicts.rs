//! How documents were judged, what became of records, how questions about paper were answered: numbers by outcome, and
//! nothing of whom they were about.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{count, head};
use loket_inspection::{SheetVerdict, Verdict};

/// Documents at intake by verdict.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    valid: AtomicU64,
    invalid: AtomicU64,
    indeterminate: AtomicU64,
}

impl Judged {
    pub(crate) fn count(&self, verdict: Verdict) {
        count(match verdict {
            Verdict::Valid => &self.valid,
            Verdict::Invalid => &self.invalid,
            Verdict::Indeterminate => &self.indeterminate,
        });
    }
}

/// Records of printed sheets that machines handed in.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) kept: AtomicU64,
    /// They open and are none, or do not open for that machine and job.
    pub(crate) refused: AtomicU64,
    /// They are sealed to a key that is not here.
    pub(crate) other_key: AtomicU64,
}

/// Questions about sheets of paper.
#[derive(Debug, Default)]
pub(crate) struct Paper {
    same: AtomicU64,
    different: AtomicU64,
    cannot_tell: AtomicU64,
    /// No record is kept of what was asked.
    pub(crate) no_record: AtomicU64,
    /// No code on the sheet is legible, and no job was named.
    pub(crate) no_code: AtomicU64,
    /// The scan cannot be read.
    pub(crate) unreadable: AtomicU64,
    /// There is a record, and it does not open.
    pub(crate) not_opened: AtomicU64,
    /// The work ended early or took too long.
    pub(crate) not_compared: AtomicU64,
    /// A machine was told a record, and compares by itself.
    pub(crate) machine_told: AtomicU64,
    /// A machine asked for a record that is not kept.
    pub(crate) machine_none: AtomicU64,
}

impl Paper {
    pub(crate) fn count(&self, verdict: SheetVerdict) {
        count(match verdict {
            SheetVerdict::Same => &self.same,
            SheetVerdict::Different => &self.different,
            SheetVerdict::CannotTell => &self.cannot_tell,
        });
    }
}

pub(super) fn write(
    out: &mut String,
    (judged, records, paper): (&Judged, &Records, &Paper),
) -> fmt::Result {
    family(
        out,
        (
            "loket_intake_verdicts_total",
            "Documents at intake by the verdict on their signature.",
        ),
        &[
            ("verdict=\"valid\"", &judged.valid),
            ("verdict=\"invalid\"", &judged.invalid),
            ("verdict=\"indeterminate\"", &judged.indeterminate),
        ],
    )?;
    family(
        out,
        (
            "loket_records_handed_in_total",
            "Records of printed sheets that machines handed in, by outcome.",
        ),
        &[
            ("outcome=\"kept\"", &records.kept),
            ("outcome=\"refused\"", &records.refused),
            ("outcome=\"other-key\"", &records.other_key),
        ],
    )?;
    family(
        out,
        (
            "loket_paper_questions_total",
            "Questions about printed sheets by where they were asked and how they were answered.",
        ),
        &[
            ("at=\"central\",outcome=\"same\"", &paper.same),
            ("at=\"central\",outcome=\"different\"", &paper.different),
            ("at=\"central\",outcome=\"cannot-tell\"", &paper.cannot_tell),
            ("at=\"central\",outcome=\"no-record\"", &paper.no_record),
            ("at=\"central\",outcome=\"no-code\"", &paper.no_code),
            ("at=\"central\",outcome=\"unreadable\"", &paper.unreadable),
            ("at=\"central\",outcome=\"not-opened\"", &paper.not_opened),
            (
                "at=\"central\",outcome=\"not-compared\"",
                &paper.not_compared,
            ),
            ("at=\"machine\",outcome=\"told\"", &paper.machine_told),
            ("at=\"machine\",outcome=\"no-record\"", &paper.machine_none),
        ],
    )
}

fn family(
    out: &mut String,
    (name, help): (&str, &str),
    series: &[(&str, &AtomicU64)],
) -> fmt::Result {
    use fmt::Write as _;
    head(out, name, "counter", help)?;
    for (labels, number) in series {
        writeln!(out, "{name}{{{labels}}} {}", number.load(Ordering::Relaxed))?;
    }
    Ok(())
}
