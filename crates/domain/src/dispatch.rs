//! Central's side of a print job: what may follow what, decided without clock, disk or network.
//!
//! ```text
//! created → offered ─┬→ (machine reports) fetching → journalled → held → printing → an end | unknown
//!    └───────┬───────┘                        ↑    └──── journal lost ────→ unknown
//!            │                                └ given to the machine by hand: met with its first report or list
//!            └→ cancelled | expired (central; any later report of the machine overturns this)
//! ```
//!
//! Invariants:
//! - Up to `offered` central may end a job; from `fetching` on only the machine does.
//! - An end that a machine reported stays: a later report may replace it by another end, never by a state that is
//!   none. An end that central decided gives way to any report.
//! - Reports count in the order of their [`Place`]; one at or before the last is no change.
//! - Who ordered a job is known from its beginning and never changes; another machine's word on it counts for nothing.
//! - A lost or rolled-back journal turns what the machine held into `unknown`, and makes what it never had due again.
//! - That no sheet came out of such a job is taken from a person only once no copy at the machine can print it: the
//!   machine said so, asked for it, or was taken out of service. What was taken as none, no copy prints afterwards.
//!
//! It does not know how orders are sealed, stored or sent, nor which machine is online.

mod change;
mod connectivity;
mod decide;
mod due;
mod home;
mod job;
mod local;
mod lost;
mod stream;

pub use change::{CHANGE_VERSION, Change, ChangeError};
pub use connectivity::{
    Connectivity, HEARTBEAT_INTERVAL, LATE_AFTER, NotSilent, OFFLINE_AFTER, Presence,
    SEEN_AHEAD_MAX, connectivity, own_silence,
};
pub use decide::{Answer, Input, OFFER_AGAIN_FIRST, OFFER_AGAIN_MAX, Refusal, decide};
pub use due::{Calendar, CalendarError, LocalDay, due_at, due_under};
pub use home::{Home, Spoke, Way, way};
pub use job::{ASK_AGAIN_FIRST, ASK_AGAIN_MAX, EndedBy, Job, MachineCopy, Place, apply};
pub use local::{Met, meet};
pub use stream::{Doubt, Ingest, Stream, SyncView, Synced};
