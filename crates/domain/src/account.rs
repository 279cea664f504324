//! What a station did on one day of its office: sheets, spoiled sheets, reprints, questions, and what is not known yet.
//!
//! ```text
//! a machine's events ──> events::known ──┐
//!                                        ├─> Known ──> Life ──> Day ──> csv, form
//! central's history ───> history::known ─┘
//! ```
//!
//! Both begin with the same: what the machine reported of a job, in its order. So both give the same account of a day of
//! which everything arrived, and nothing else may count.
//!
//! Invariants, held by property tests:
//! - Each job that the machine held counts on one day: on that of its sheet, else of its end. A sheet that an officer
//!   answered for counts on the day on which it was asked about, for it lay in the tray then, though the answer came later.
//! - What was open when the day began, and what came, is what was settled on it, and what was open when it ended.
//! - Every sum is that of its lines.
//!
//! It knows references, services, reasons and those who work here. It knows no resident: no NIK, no KK number, no label, no
//! document. Times are those of the machine; one that no central had confirmed is marked, never corrected.

mod csv;
mod day;
mod events;
mod form;
mod history;
mod known;
mod life;
mod lines;
mod words;

pub use csv::{Notation, csv};
pub use day::{Day, DayError, MAX_DAY_JOBS, Of, Totals, day};
pub use events::known as known_by_events;
pub use form::{Printed, form};
pub use history::{Facts, Said, known as known_by_history};
pub use known::{Known, Ordered, Step};
pub use lines::{
    Found, JobLine, OpenLine, Outcome, QuestionLine, ReprintLine, ServiceLine, SheetCount,
    SpoiledLine, Sums,
};

#[cfg(test)]
mod tests;
