//! The print desk of one machine: from an order's arrival to a sheet, once.
//!
//! ```text
//! (order) → Fetching → Received → Held ⇄ Released → Attempting ─────────────────────→ Ended → closed
//!               │          │        │     │    ↑    Creating → Created ⇄ Sending → Sent
//!               │          │        │     ↓    │      ↓ lost     ↓ start     ↓ lost   │
//!               │          │        │   Clearing    Locating   Checking    Probing ───┤
//!               │          │        │     ↑           ↓ Cancelling: look, ask, follow │
//!               └──────────┴────────┴─────┼─→ Ended (rejected, expired, cancelled)    │
//!                                         └── officer: did not come out ←── Unknown ←─┘
//! ```
//!
//! `Clearing` calls a job off at the printer that no attempt owns, before another is made there.
//!
//! Invariants, each held by property tests:
//! - A document is sent on at most one remote job at a time, and never again once a sheet of it may exist,
//!   except after an officer said that none came out.
//! - Sending is journalled before the first document byte leaves; the remote job's id before that.
//! - A printer lane holds at most one attempt.
//! - No job is called off at a printer by its number alone.
//! - A printer that always fails gets a bounded number of attempts, with growing pauses, and few lines in the journal.
//! - `Printed` follows only a printer's *completed* for the very job that was created, or an officer's word.
//! - Every job that is not ended or unknown has an effect, or waits for a person, a lane, or a moment.
//!
//! Deliberately absent: IPP (sightings are typed), the journal, the clock, document bytes, labels and codes.

mod apply;
mod attempt;
mod command;
mod decide;
mod desk;
mod effect;
mod event;
mod job;

pub use attempt::{
    Afterwards, Attempt, Clearing, Heard, Holds, Left, Phase, PrinterMark, RemoteJob, RemoteState,
    RemoteView, Sighting, Step, Withdrawal, job_name,
};
pub use command::{Answer, Asked, Command, Intake, PrinterSurvey, Refusal, Verification};
pub use desk::Desk;
pub use effect::{Action, Effect, EffectId, EffectStep};
pub use event::{Actor, EVENT_VERSION, Event, What};
pub use job::{Facts, Job, Origin, Revision, Stage};

#[cfg(test)]
mod tests;
