//! The shape every state machine here has, and what it is told of time.

use std::error::Error;
use std::time::Duration;

use loket_wire::Timestamp;

/// The present moment as a program knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall clock.
    pub wall: Timestamp,
    /// Whether central confirmed the wall clock in this boot.
    pub trusted: bool,
    /// A moment that has certainly passed: build date or last signed central time.
    pub floor: Timestamp,
}

impl Now {
    /// Whether `moment` has passed for certain: on a trusted clock, or because even the floor is past it.
    ///
    /// A dead clock battery must stop nothing, so an untrusted clock alone never says so.
    #[must_use]
    pub fn is_past(&self, moment: Timestamp) -> bool {
        (self.trusted && self.wall > moment) || self.floor > moment
    }

    /// Whether `pause` has gone by since `from`. A clock that was set back says yes: a pause must never become a year.
    #[must_use]
    pub fn is_after(&self, from: Timestamp, pause: Duration) -> bool {
        self.wall < from || self.wall >= from.saturating_add(pause)
    }
}

/// A functional core; the shell has one order and never another: decide → journal → apply → effect.
pub trait Core {
    /// What is asked or was seen.
    type Command;
    /// What happened; journalled before it is applied.
    type Event;
    /// What the shell must do; running one twice must do no harm.
    type Effect;
    /// A rule said no.
    type Refusal: Error;

    /// Decides what `command` means. No events: nothing changes.
    ///
    /// # Errors
    /// The rule that refused it.
    fn decide(&self, now: Now, command: Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Folds one event.
    ///
    /// # Errors
    /// [`IllegalEvent`] when no history of this machine has that event in its present state: the journal is not
    /// this program's, or a bug. The state is unchanged then.
    fn apply(&mut self, event: &Self::Event) -> Result<(), IllegalEvent>;

    /// What must be done in the present state, oldest first; each effect carries its own id.
    fn effects(&self, now: Now) -> Vec<Self::Effect>;

    /// The first moment after `now` at which to ask again although nothing happened; `None` for never.
    fn wake_at(&self, now: Now) -> Option<Timestamp>;
}

/// An event that cannot follow the present state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("apply event '{event}' to a job that is {state}")]
pub struct IllegalEvent {
    /// The event's kind.
    pub event: &'static str,
    /// The state it met.
    pub state: &'static str,
}
