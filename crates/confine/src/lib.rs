//! Works on what strangers bring in a process that has nothing but memory and time.
//!
//! ```text
//! program ── ask ──► its own image again ── give_up ──► reads standard input, works, answers on standard output
//!            ▲                                                                       │
//!            └── the answer, or the fault: ended, too late, too long ◄───────────────┘
//! ```
//!
//! The child limits itself before it reads a byte of what somebody brought: limits from outside need code that runs
//! between fork and exec, which is unsafe. Parent and child are one image, so they are of one version.

mod child;
mod parent;

pub use child::{Limits, give_up, read};
pub use parent::{Fault, Myself, Question, ask, ask_after};
